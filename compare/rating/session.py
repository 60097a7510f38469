"""One rater's way through the pairs: what is shown now, what was said, and how much is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from ..history.ratings import Answer, Kept
from .pairs import Pair
from .source import Source

if TYPE_CHECKING:
    from ..history.ratings import Ratings

LONGEST_S = 300.0
"""Who says nothing for longer is elsewhere."""
RECENT = 20
"""The pace is that of so many answers."""
FEWEST = 3


@dataclass(frozen=True)
class Shown:
    """What a rater sees of a pair, and what was put to it so far; not whose answers they are."""

    question: str
    first: str
    second: str
    note: str
    edited: str


class Rating:
    """One rater with one evaluation or run. Goes on where that rater stopped.

    `rate`, `annotate`, `edit` and `undo` return once what they do is on the disk; use one at a
    time. They raise CompareError where nothing can be written, and then nothing has changed.
    """

    def __init__(self, source: Source, ratings: Ratings, rater: str) -> None:
        self.source, self.rater = source, rater
        self._ratings = ratings
        self._order = source.order(ratings.begin(source.what, rater))
        self._kept = {it.pair: it for it in ratings.all(source.what) if it.rater == rater}
        """What this rater said, in the order in which it was said."""
        self._again: Pair | None = None
        """What was taken back and is shown again."""
        self.goal = self._order.goal(self.done)

    @property
    def done(self) -> int:
        """How many pairs are rated."""
        return sum(pair.key in self._answered for pair in self._order.shown)

    @property
    def pairs(self) -> int:
        """How many there are to be rated at most."""
        return len(self._order.shown)

    @property
    def same(self) -> int:
        """Pairs of equal answers, which nobody is shown."""
        return len(self._order.same)

    @property
    def over(self) -> bool:
        """As many are rated as were asked for."""
        return self._again is None and self.done >= self.goal

    def more(self) -> bool:
        """Ask for more of them; whether there are."""
        if self.done < self.pairs:
            self.goal = self._order.goal(self.done + 1)
        return not self.over

    @property
    def current(self) -> Shown | None:
        """What is to be rated now; None when it is over."""
        pair = self._pair
        if pair is None or self.over:
            return None
        kept = self._kept.get(pair.key)
        first, second = (self.source.said(pair, it).text for it in (pair.first, pair.second))
        note, edited = (kept.note, kept.edited) if kept else ("", "")
        return Shown(self.source.rows[pair.row].question, first, second, note, edited)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace of the last answers; None before there is one."""
        times = [it.at for it in self._said()[-RECENT:] if it.at is not None]
        gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
        near = [gap for gap in gaps if gap < LONGEST_S]
        return median(near) * (self.goal - self.done) if len(near) >= FEWEST else None

    def rate(self, answer: Answer) -> None:
        """Say which is better, and go on to the next."""
        self._put(answer=answer)
        self._again = None

    def annotate(self, note: str) -> None:
        """Put a note to the pair that is shown."""
        self._put(note=note.strip())

    def edit(self, text: str) -> None:
        """Say what should have been said."""
        self._put(edited=text.strip())

    def undo(self) -> bool:
        """Take the last answer back, keep its note, and show that pair again; whether there is one."""
        said = self._said()
        if not said:
            return False
        pair = next(it for it in self._order.shown if it.key == said[-1].pair)
        self._again = pair
        self._put(answer=None)
        return True

    # ------------------------------------------------------------------------

    @property
    def _answered(self) -> set[tuple[int, int, frozenset[str]]]:
        return {key for key, it in self._kept.items() if it.answer is not None}

    @property
    def _pair(self) -> Pair | None:
        answered = self._answered
        following = (pair for pair in self._order.shown if pair.key not in answered)
        return self._again or next(following, None)

    def _said(self) -> Sequence[Kept]:
        """The answers that can be taken back, the last one last."""
        shown = {pair.key for pair in self._order.shown}
        return [it for it in self._kept.values() if it.answer is not None and it.pair in shown]

    def _put(self, **changes: object) -> None:
        pair = self._pair
        if pair is None:
            return
        before = self._kept.get(pair.key)
        if before is None or (before.first, before.second) != (pair.first, pair.second):
            note, edited = (before.note, before.edited) if before else ("", "")
            before = Kept(
                self.rater, pair.row, pair.repeat, pair.first, pair.second, None, note, edited
            )
        kept = replace(before, at=datetime.now(UTC), **changes)
        self._ratings.put(self.source.what, kept)
        self._kept.pop(pair.key, None)
        self._kept[pair.key] = kept
