"""What each output was made from, to tell whether it still answers what is on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..compare.conversation import turns_of
from ..compare.run import Output
from ..compare.variants import Variant


@dataclass(frozen=True)
class Asked:
    """What an output was made from."""

    variant: Variant
    values: tuple[tuple[str, str], ...]
    seed: int | None
    exact: bool
    repeats: int
    outputs: tuple[Output, ...] = field(default=(), compare=False)
    """Of all repeats."""


class Questions:
    """Knows what outputs were asked, each by itself: a turn may have been asked otherwise than the
    one after it."""

    def __init__(self) -> None:
        self._of: dict[Output, Asked] = {}

    def of(self, output: Output | None) -> Asked | None:
        return self._of.get(output) if output is not None else None

    def note(self, asked: Asked) -> None:
        self._of.update(dict.fromkeys(asked.outputs, asked))

    def all(self) -> list[Asked]:
        return list(self._of.values())

    def keep(self, outputs: Iterable[Output]) -> None:
        """Forget all but what these were asked, their repeats, and the turns before them."""
        old, self._of = self._of, {}
        for output in outputs:
            for turn in turns_of(output):
                if (asked := old.get(turn)) is not None:
                    self.note(asked)
