"""Which combinations of words are kept for the suites: no text that anything is trained on has one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .task import Example

ONE_IN = 6
"""Of so many combinations one is held out."""

Combination = tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """An example that a grammar made, and all combinations of its words that may be held out.

    ``expected`` is what a suite's row of it expects, ``kind`` what kind of row that is.
    """

    example: Example
    combinations: tuple[Combination, ...]
    expected: str
    kind: str

    def has_held_out(self, task: str) -> bool:
        """Whether it belongs into the task's suite, and into no training."""
        return any(held_out(task, it) for it in self.combinations)


def held_out(task: str, combination: Combination) -> bool:
    """Whether a combination is kept for the suite: by a hash of its words, so for ever."""
    digest = hashlib.sha256("\n".join((task, *combination)).encode()).digest()
    return int.from_bytes(digest[:8]) % ONE_IN == 0


def draw(random: Random, task: str, make: Callable[[Random], Made], *, held: bool = False) -> Made:
    """The first example made that has a held-out combination, or that has none."""
    while True:
        made = make(random)
        if made.has_held_out(task) is held:
            return made
