"""A diff as a text to draw: its marks, its differences in order, and its equal parts folded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ..compare.diff.result import Diff, Span, same_start
from ..compare.diff.side import has_word
from ..compare.diff.units import split
from .widgets.output_text import Mark

AROUND = 3
"""Words (or lines) of an equal part left in view beside a difference."""
LEAST = 8
"""A part of fewer words is not worth folding; in lines, of fewer than two."""

BETWEEN = "│"
"""Stands in one text between what was removed and what was added directly behind it."""

_SIGNS = {
    "removed": ("[-", "-]"), "added": ("{+", "+}"), "left": ("[~", "~]"), "arrived": ("{~", "~}"),
}  # fmt: skip
_PLAIN = {"equal", "removed", "left"}


class Stop(NamedTuple):
    """A difference: its place in the text drawn, and where it starts in both texts."""

    start: int
    end: int
    a: int
    b: int


class _Piece(NamedTuple):
    """A part of the text drawn, and where it starts and ends in both texts."""

    text: str
    kind: str
    a: int
    a_end: int
    b: int
    b_end: int


class Drawing:
    """The text to draw for the diff of two outputs; what is known to be fixed is kept.

    `unified` has both texts in one, else it is `b`; `fold` puts a line in the place of long equal
    parts; `signs` writes the changes of the unified view as `[-a-]` and `{+b+}`.
    """

    def __init__(
        self, *, unified: bool = False, fold: bool = False, lines: bool = False, signs: bool = False
    ) -> None:
        self._unified, self._fold, self._lines, self._signs = unified, fold, lines, signs
        self.text = ""
        self.marks: list[Mark] = []
        self._spans: tuple[Span, ...] = ()
        self._pieces: list[_Piece] = []
        """As many as `marks`."""
        self._counts: list[int] = []
        """For each span, how many pieces there are up to its end."""
        self._stops: list[Stop] | None = None

    def update(self, diff: Diff, a: str, b: str) -> None:
        """Draw the diff of these texts."""
        spans = diff.spans
        same = same_start(self._spans, spans)
        if same == len(spans) == len(self._spans):
            return
        kept = self._counts[same - 1] if same else 0
        del self._counts[same:], self._pieces[kept:], self.marks[kept:]
        at = self.marks[-1].end if self.marks else 0
        for number, span in enumerate(islice(spans, same, None), same):
            last = number == len(spans) - 1
            pieces = self._drawn(span, a, b, number == 0, last and diff.complete, last)
            if self._touches(spans, number, a, b):
                place = span.a_start, span.a_start, span.b_start, span.b_start
                pieces = (_Piece(BETWEEN, "between", *place), *pieces)
            for piece in pieces:
                self._pieces.append(piece)
                self.marks.append(Mark(at, at + len(piece.text), piece.kind))
                at += len(piece.text)
            self._counts.append(len(self._pieces))
        self._spans, self._stops = spans, None
        if self._unified or self._fold:
            self.text = "".join(piece.text for piece in self._pieces)
        else:
            self.text = b

    def _touches(self, spans: Sequence[Span], number: int, a: str, b: str) -> bool:
        """Whether a span is drawn directly behind what it replaces: nothing tells them apart."""
        if not self._unified or self._signs or not number or spans[number].kind != "added":
            return False
        gone, new = spans[number - 1], spans[number]
        both = a[gone.a_end - 1 : gone.a_end], b[new.b_start : new.b_start + 1]
        return gone.kind == "removed" and not any(map(str.isspace, both))

    def _drawn(
        self, span: Span, a: str, b: str, first: bool, final: bool, last: bool
    ) -> Iterator[_Piece]:
        text = b[span.b_start : span.b_end]
        look = span.look
        if self._unified and not text and span.kind != "equal":
            text = a[span.a_start : span.a_end]
        if self._unified and self._signs and look in _SIGNS:
            text = text.join(_SIGNS[look])
        if self._fold and span.kind == "equal" and (final or not last):
            cut = folded(text, first=first, last=final, lines=self._lines)
            if cut is not None:
                yield from self._folded(span, text, *cut)
                return
        kind = "" if look == "equal" else look
        yield _Piece(text, kind, span.a_start, span.a_end, span.b_start, span.b_end)

    def _folded(self, span: Span, text: str, head: int, tail: int, said: str) -> Iterator[_Piece]:
        a, a_end, b, b_end = span.a_start, span.a_end, span.b_start, span.b_end
        after = len(text) - tail
        a_head, a_tail = min(a + head, a_end), max(a, a_end - after)
        yield _Piece(text[:head], "", a, a_head, b, b + head)
        yield _Piece(said, "fold", a_head, max(a_head, a_tail), b + head, b + tail)
        yield _Piece(text[tail:], "", max(a_head, a_tail), a_end, b + tail, b_end)

    @property
    def stops(self) -> list[Stop]:
        """The differences, in order: what was removed and what was added in its place are one."""
        if self._stops is None:
            self._stops = list(self._found())
        return self._stops

    def _found(self) -> Iterator[Stop]:
        start: Stop | None = None
        for piece, mark in zip(self._pieces, self.marks, strict=True):
            if piece.kind in ("", "fold", "ahead"):
                if start is not None:
                    yield start
                start = None
            elif start is None:
                start = Stop(mark.start, mark.end, piece.a, piece.b)
            else:
                start = start._replace(end=mark.end)
        if start is not None:
            yield start

    def base_at(self, offset: int) -> int:
        """Where in `a` a character of the text drawn stands, or would stand."""
        index = bisect_right(self.marks, offset, key=lambda mark: mark.start) - 1
        if index < 0:
            return 0
        piece = self._pieces[index]
        return min(piece.a_end, piece.a + offset - self.marks[index].start)

    def from_base(self, offset: int) -> int:
        """Where in the text drawn a character of `a` stands, or would stand."""
        index = bisect_right(self._pieces, offset, key=lambda piece: piece.a) - 1
        if index < 0:
            return 0
        # Of several pieces from there on, the first is where the difference starts.
        while index and self._pieces[index - 1].a == offset:
            index -= 1
        mark, piece = self.marks[index], self._pieces[index]
        return min(mark.end, mark.start + offset - piece.a)


def folded(text: str, *, first: bool, last: bool, lines: bool) -> tuple[int, int, str] | None:
    """Where the part of an equal text to fold starts and ends, and what stands in its place.

    None when there is too little of it. Nothing is left in view beside the ends of the texts.
    """
    units = split(text, "line" if lines else "word")
    ends, words = [0], [0]
    for unit in units:
        ends.append(ends[-1] + len(unit))
        words.append(words[-1] + (lines or has_word(unit)))
    total = words[-1]
    head = 0 if first else AROUND
    tail = total - (0 if last else AROUND)
    if tail - head < (2 if lines else LEAST):
        return None
    # From the unit after the last word kept to the one that holds the first word kept again.
    start = 0 if first else ends[words.index(head)]
    stop = len(text) if last else ends[bisect_right(words, tail) - 1]
    hidden = text[start:stop]
    said = f"[⋯ {tail - head:,} equal {'lines' if lines else 'words'}]"
    after = "" if last else " "
    if start and not text[start - 1].isspace() and "\n" not in hidden:
        said = f" {said}"
    if "\n" in hidden:
        said = said if text[:start].endswith("\n") or not start else f"\n{said}"
        after = "" if last else "\n"
    return start, stop, said + after
