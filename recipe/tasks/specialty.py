"""What a task is that an adapter is trained for."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ..split import Made, draw
from ..task import Example, Task


@dataclass(frozen=True)
class Specialty:
    """A task with an adapter of its own, of which the base sees some.

    ``seen`` gives what the base sees of it in one chat: examples in a form, with the instructions
    that fix that form. ``make`` makes any example in the task's own form, which ``rule`` puts into
    words; ``requests`` leave the form open. ``variable`` is what the prompts call the input.
    ``share`` is that of the base's chats about tasks.
    """

    name: str
    variable: str
    seen: Callable[[Random], Task]
    make: Callable[[Random], Made]
    rule: Callable[[Random], str]
    requests: tuple[str, ...]
    share: float

    def own(self, random: Random) -> Example:
        """An example to train on."""
        return draw(random, self.name, self.make).example

    def held_out(self, random: Random) -> Made:
        """One for the suite."""
        return draw(random, self.name, self.make, held=True)
