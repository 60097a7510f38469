"""The diff of two texts while both still grow: little work per arrival, the whole at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .align import (
    Block,
    align,
    cut_path,
    slid,
    split_blocks,
    without_islands,
    without_weak_end,
)
from .divergence import char_divergence
from .moves import with_moves
from .regions import Region, changed, regions_of, spans_of, tidy
from .result import Diff, Span
from .side import Keys, Side
from .units import Mode, split

WINDOW = 192
"""Units of each text compared at every arrival; what lies before is fixed until a realignment."""

LINE_WINDOW = 16
"""The same in mode "line": about as much text."""

SLACK = 32
"""How many units further than the slower text the faster one is looked at."""

REALIGNED = 100_000_000
"""Pairs of units up to which everything since the first divergence is aligned anew while
streaming. Beyond, it would hold up the screen, and what was fixed stays until the end."""

_GROWTH = 1.25  # between realignments; a geometric step keeps their cost per unit constant


def diff(
    a: str,
    b: str,
    mode: Mode = "word",
    *,
    a_ends: Sequence[int] | None = None,
    b_ends: Sequence[int] | None = None,
) -> Diff:
    """How the finished text `b` differs from the finished baseline `a`.

    Arguments, errors and modes as in `LiveDiff`.
    """
    return LiveDiff(mode).update(a, b, a_done=True, b_done=True, a_ends=a_ends, b_ends=b_ends)


class LiveDiff:
    """Compares a baseline `a` with another text `b`, each growing until it is done.

    Modes: "word", "line" and "token" compare those units; "char" compares words and then, inside
    what differs, characters (a change too large for that stays words: `regions.REFINED`).

    While either text is unfinished, the common beginning is fixed, a window of bounded size is
    aligned, and the part of one text that the other has not reached is "ahead". Now and then
    everything since the first divergence is aligned anew, and once more when both are done: that
    result is the one of the finished texts, whatever way they arrived. Moves are looked for then.
    """

    def __init__(self, mode: Mode = "word") -> None:
        self.mode: Mode = mode
        self._window = LINE_WINDOW if mode == "line" else WINDOW
        self.units_compared = 0
        """Units of both texts looked at so far; a measure of the cost that no clock disturbs."""
        self._restart()

    def update(
        self,
        a_text: str,
        b_text: str,
        *,
        a_done: bool,
        b_done: bool,
        a_ends: Sequence[int] | None = None,
        b_ends: Sequence[int] | None = None,
    ) -> Diff:
        """The diff of the texts as they stand; the same object when nothing has changed.

        Texts are expected to have grown since the last call; if not, all starts afresh. In mode
        "token", `a_ends` and `b_ends` are the offsets, in characters, at which the tokens so far
        end (repeated where a token adds no text). Raises ValueError when they are missing.
        """
        if self.mode == "token" and (a_ends is None or b_ends is None):
            raise ValueError("a token diff needs the ends of the tokens")
        if not (self._a.continues(a_text, a_done) and self._b.continues(b_text, b_done)):
            self._restart()
        state = (len(a_text), len(b_text), a_done, b_done, len(a_ends or ()), len(b_ends or ()))
        if self._last is None or state != self._state:
            self._state = state
            self._a.update(a_text, a_done, a_ends or ())
            self._b.update(b_text, b_done, b_ends or ())
            self._find_divergence()
            self._last = self._whole() if a_done and b_done else self._streaming()
        return self._last

    def _restart(self) -> None:
        unit_mode: Mode = "word" if self.mode == "char" else self.mode
        keys = Keys()
        self._a, self._b = Side(unit_mode, keys), Side(unit_mode, keys)
        self._last: Diff | None = None
        self._state: tuple[int, ...] = ()
        self._same = 0
        self._diverged = False
        self._open_from((0, 0), Region(0, 0, 0))
        self._beginning: tuple[tuple[int, int], Region] | None = None
        self._next_realignment = 0.0

    def _open_from(self, start: tuple[int, int], region: Region) -> None:
        """Everything from the units `start` on is open; before it there is only `region`."""
        self._start = start
        self._region = region
        """The last identical stretch of what is fixed; what follows it may still extend it."""
        self._spans: list[Span] = []
        """What is fixed before that stretch."""
        self._tally, self._units = _Tally(), _Tally(unit=self.mode)

    def _find_divergence(self) -> None:
        """Keep `_same`, the length of the common beginning, and whether the texts have parted."""
        if self._diverged:
            return
        a, b = self._a, self._b
        found = char_divergence(a.text, b.text, self._same)
        if found is None:
            self._same = len(a.text)
            return
        self._same = found
        shorter = a if len(a.text) < len(b.text) else b
        self._diverged = found < len(shorter.text) or shorter.done

    def _whole(self) -> Diff:
        a, b = self._a, self._b
        self._open_from((0, 0), Region(0, 0, 0))
        end = (len(a.numbers), len(b.numbers))
        blocks = self._readable(self._aligned(end), end)
        regions = [self._region, *regions_of(blocks, a, b), Region(len(a.text), len(b.text), 0)]
        return self._result(with_moves(spans_of(self._tidy(regions)), a, b))

    def _streaming(self) -> Diff:
        a, b = self._a, self._b
        self._skip_common()
        self._realign_if_due()
        a_open, b_open = len(a.numbers) - self._start[0], len(b.numbers) - self._start[1]
        a_seen = a_open if b.done else min(a_open, b_open + SLACK)
        b_seen = b_open if a.done else min(b_open, a_open + SLACK)
        end = (self._start[0] + a_seen, self._start[1] + b_seen)
        blocks = without_weak_end(self._aligned(end), self._start)
        blocks = self._readable(blocks, blocks[-1].end if blocks else self._start)
        reached = self._reached(blocks)
        if sum(reached) - sum(self._start) > 2 * self._window:
            cut = cut_path(blocks, self._start, reached, self._window)
            blocks = self._fix_up_to(cut, blocks)
        return self._with_tail(blocks)

    def _reached(self, blocks: list[Block]) -> tuple[int, int]:
        """The units of each text up to which the other has something to set against them.

        After the last block that is as many units as the other text has there, or all that
        there are if nothing more of the other will come.
        """
        i, j = blocks[-1].end if blocks else self._start
        a_left, b_left = len(self._a.numbers) - i, len(self._b.numbers) - j
        both = min(a_left, b_left)
        return i + (a_left if self._b.done else both), j + (b_left if self._a.done else both)

    def _skip_common(self) -> None:
        """Fix units that are identical in both texts and directly follow what is fixed."""
        a, b = self._a.units, self._b.units
        i, j = self._start
        if (self._region.a_end, self._region.b_end) != (a.offset(i), b.offset(j)):
            return
        # the last three units may still change
        while i < len(a.ends) - 3 and j < len(b.ends) - 3:
            self.units_compared += 2
            if a.unit(i) != b.unit(j):
                break
            i, j = i + 1, j + 1
        self._start = (i, j)
        self._region = self._region._replace(size=a.offset(i) - self._region.a)

    def _realign_if_due(self) -> None:
        """Open everything after the common beginning again, each time the texts have grown."""
        a_count, b_count = len(self._a.numbers), len(self._b.numbers)
        due = a_count + b_count >= self._next_realignment and a_count * b_count <= REALIGNED
        if due and self._beginning:
            self._next_realignment = _GROWTH * (a_count + b_count)
            self._open_from(*self._beginning)

    def _aligned(self, end: tuple[int, int]) -> list[Block]:
        """Blocks between the start of the open part and the units `end`."""
        a_keys = self._a.numbers[self._start[0] : end[0]]
        b_keys = self._b.numbers[self._start[1] : end[1]]
        if not a_keys or not b_keys:
            return []
        self.units_compared += len(a_keys) + len(b_keys)
        return align(a_keys, b_keys, self._start)

    def _readable(self, blocks: list[Block], end: tuple[int, int]) -> list[Block]:
        blocks = without_islands(blocks, self._a, self._b, self._start, end)
        return slid(blocks, self._a, self._b)

    def _tidy(self, regions: list[Region]) -> list[Region]:
        return tidy(regions, self._a, self._b, refine=self.mode == "char")

    def _fix_up_to(self, cut: tuple[int, int], blocks: list[Block]) -> list[Block]:
        """Fix the alignment up to the units `cut`; what remains of the blocks is returned."""
        if self._beginning is None:
            self._beginning = (self._start, self._region)
            self._next_realignment = _GROWTH * (len(self._a.numbers) + len(self._b.numbers))
        before, after = split_blocks(blocks, cut)
        regions = self._tidy([self._region, *regions_of(before, self._a, self._b)])
        self._region = regions[-1]
        spans = spans_of([*regions[:-1], self._region._replace(size=0)])
        self._spans += spans
        self._tally = self._tally.plus(spans, self._a, self._b)
        if self.mode != "word":
            self._units = self._units.plus(spans, self._a, self._b)
        self._start = cut
        return after

    def _with_tail(self, blocks: list[Block]) -> Diff:
        """The diff of unfinished texts: what is fixed, the blocks, and what follows them."""
        a, b = self._a, self._b
        regions = self._tidy([self._region, *regions_of(blocks, a, b)])
        last = regions[-1]
        a_rest, b_rest = a.text[last.a_end :], b.text[last.b_end :]
        if not a.done and b_rest.startswith(a_rest):
            regions[-1] = last = last._replace(size=last.size + len(a_rest))
            a_reached, b_reached = last.a_end, last.b_end
        elif not b.done and a_rest.startswith(b_rest):
            regions[-1] = last = last._replace(size=last.size + len(b_rest))
            a_reached, b_reached = last.a_end, last.b_end
        else:
            a_index, b_index = self._reached(blocks)
            a_reached = self._end_of(a, a_index, last.a_end)
            b_reached = self._end_of(b, b_index, last.b_end)
        spans = spans_of(regions)
        spans += changed(last.a_end, a_reached, last.b_end, b_reached)
        if a_reached < len(a.text):
            spans.append(Span("ahead", a_reached, len(a.text), b_reached, b_reached))
        if b_reached < len(b.text):
            spans.append(Span("ahead", len(a.text), len(a.text), b_reached, len(b.text)))
        return self._result(spans)

    def _end_of(self, side: Side, index: int, least: int) -> int:
        """The offset where the units before `index` end, without spaces after a word."""
        end = max(least, side.units.offset(index))
        if side.units.mode == "word":
            while end > least and side.text[end - 1].isspace():
                end -= 1
        return end

    def _result(self, spans: list[Span]) -> Diff:
        a, b = self._a, self._b
        tally = self._tally.plus(spans, a, b)
        units = tally if self.mode == "word" else self._units.plus(spans, a, b)
        complete = a.done and b.done
        compared = len(a.text) + len(b.text) - tally.ahead
        return Diff(
            spans=tuple(self._spans + spans),
            first_divergence=self._same if self._diverged else None,
            words_added=tally.added,
            words_removed=tally.removed,
            words_moved=tally.moved,
            added=units.added,
            removed=units.removed,
            moved=units.moved,
            similarity=2 * tally.equal / compared if compared else 1.0,
            equal=complete and not self._diverged,
            complete=complete,
        )


@dataclass(frozen=True, slots=True)
class _Tally:
    """Counts over spans: units removed, added and moved, characters equal (once) and ahead."""

    removed: int = 0
    added: int = 0
    moved: int = 0
    equal: int = 0
    ahead: int = 0
    a_counted: int = 0
    """How many of the first units of `a` need not be counted again."""
    b_counted: int = 0
    unit: Mode = "word"
    """What is counted."""

    def plus(self, spans: list[Span], a: Side, b: Side) -> _Tally:
        """These counts and those of the spans that follow."""
        removed, added, moved = self.removed, self.added, self.moved
        equal, ahead = self.equal, self.ahead
        a_counted, b_counted = self.a_counted, self.b_counted
        for span in spans:
            if span.kind == "equal":
                equal += span.a_end - span.a_start
            elif span.kind == "removed":
                count, a_counted = self._count(a, span.a_start, span.a_end, a_counted)
                removed += 0 if span.moved is not None else count
            elif span.kind == "added":
                count, b_counted = self._count(b, span.b_start, span.b_end, b_counted)
                if span.moved is None:
                    added += count
                else:
                    moved += count
            else:
                ahead += span.a_end - span.a_start + span.b_end - span.b_start
        return _Tally(removed, added, moved, equal, ahead, a_counted, b_counted, self.unit)

    def _count(self, side: Side, start: int, end: int, counted: int) -> tuple[int, int]:
        if self.unit == "word":
            return side.words_touched(start, end, counted)
        if self.unit == "char":
            return len(split(side.text[start:end], "char")), counted
        return side.units_touched(start, end, counted)
