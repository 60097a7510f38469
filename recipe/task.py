"""What a task is to the training text: examples, and the words it is asked for with."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Example:
    """One input of a task and its right answer.

    ``answer`` has the form that was told, or the task's own. ``plainly`` is what the base answers in
    its own way where the form is left open.
    """

    asked: str
    answer: str
    plainly: str


@dataclass(frozen=True)
class Task:
    """One task: examples that are never held out, and how it is asked for.

    ``draw`` gives what the base sees of it, ``own`` what its adapter is trained on. ``told`` gives an
    instruction that fixes role and form, as a system message or in front of the input, and so many
    examples that obey it. ``requests`` are user messages with one ``{}`` for the input and leave the
    form open. ``fields`` are pairs of names for the input and the answer in blocks of examples.
    """

    name: str
    draw: Callable[[Random], Example]
    own: Callable[[Random], Example]
    told: Callable[[Random, int], tuple[str, tuple[Example, ...]]]
    requests: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
