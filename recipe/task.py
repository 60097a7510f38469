"""What a task is to the training text: examples, and the words it is asked for with."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Pair = tuple[str, str]
"""What is asked, and its answer."""


@dataclass(frozen=True)
class Example:
    """One input of a task and its right answer.

    ``answer`` has the task's own strict form, which its adapter learns. ``plainly`` is what the
    base answers in its own way where the form is left open.
    """

    asked: str
    answer: str
    plainly: str


@dataclass(frozen=True)
class Task:
    """One task: examples that are never held out, and how it is asked for.

    ``requests`` are user messages with one ``{}`` for the input and leave the form open.
    ``instructions`` fix role and form, as a system message or in front of the input. ``fields`` are
    pairs of names for the input and the answer in blocks of examples.
    """

    name: str
    draw: Callable[[Random], Example]
    requests: tuple[str, ...]
    instructions: tuple[str, ...]
    fields: tuple[Pair, ...]


def skill(
    name: str,
    draw: Callable[[Random], Pair],
    instructions: tuple[str, ...],
    fields: tuple[Pair, ...] = (("Text", "Answer"),),
) -> Task:
    """A task whose plain answer is the right one, asked for by an instruction or by examples."""

    def example(random: Random) -> Example:
        asked, answer = draw(random)
        return Example(asked, answer, answer)

    return Task(name, example, (), instructions, fields)
