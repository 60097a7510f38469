"""Where the differences of a conversation are, and what stands where in the baseline's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .drawing import Drawing, Stop


class Turn(NamedTuple):
    """A turn in the text drawn: where it starts, its answer, and its end; and where these are in
    the baseline's conversation as its own pane shows it. `drawing` is of the answer, if that is
    compared."""

    start: int
    answer: int
    end: int
    base_start: int
    base_answer: int
    base_end: int
    drawing: Drawing | None


class Places:
    """The places in a conversation that a person goes to, or scrolls to beside another."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns

    @cached_property
    def stops(self) -> list[Stop]:
        """The differences of all turns, in order."""
        found: list[Stop] = []
        for turn in self._turns:
            stops = turn.drawing.stops if turn.drawing is not None else []
            if not found and not turn.answer and not turn.base_answer:
                found = stops
            elif stops:
                at, base = turn.answer, turn.base_answer
                moved = [s._replace(start=at + s.start, end=at + s.end, a=base + s.a, b=base + s.b) for s in stops]  # fmt: skip
                found = [*found, *moved]
        return found

    def base_at(self, offset: int) -> int:
        """Where in the baseline's conversation a character of the text drawn stands."""
        turn = self._turns[max(0, bisect_right(self._turns, offset, key=_start) - 1)]
        if offset < turn.answer:
            return min(turn.base_start + offset - turn.start, turn.base_answer)
        inside = offset - turn.answer
        inside = turn.drawing.base_at(inside) if turn.drawing is not None else inside
        return min(turn.base_answer + inside, turn.base_end)

    def from_base(self, offset: int) -> int:
        """Where in the text drawn a character of the baseline's conversation stands."""
        turn = self._turns[max(0, bisect_right(self._turns, offset, key=_base_start) - 1)]
        if offset < turn.base_answer:
            return min(turn.start + offset - turn.base_start, turn.answer)
        inside = offset - turn.base_answer
        inside = turn.drawing.from_base(inside) if turn.drawing is not None else inside
        return min(turn.answer + inside, turn.end)


def _start(turn: Turn) -> int:
    return turn.start


def _base_start(turn: Turn) -> int:
    return turn.base_start
