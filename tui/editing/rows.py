"""The rows of the screen that an edited text takes: only what an edit touched is broken anew."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from rich.cells import cell_len, split_graphemes
from textual.document._document import DocumentBase, Location
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Offset

from ..safe_text import safe_text
from ..widgets.wrapping import is_wide

_TAB = re.compile("(\t)")
_SLACK = 64
"""Characters without width that a row may hold beyond its cells; more are cut to the next row."""


def graphemes(text: str, tab: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, cells) of each grapheme of a row; tab stops are every `tab` cells of it."""
    at = column = 0
    for part in _TAB.split(text):
        if part == "\t":
            cells = tab - column % tab
            yield at, at + 1, cells
            column += cells
        else:
            for start, end, cells in split_graphemes(safe_text(part))[0]:
                yield at + start, at + end, cells
                column += cells
        at += len(part)


def _plain(text: str) -> bool:
    """Whether every character takes a cell of its own."""
    return text.isascii() and text.isprintable()


def width_of_row(text: str, tab: int) -> int:
    """Cells of the beginning of a row."""
    if _plain(text):
        return len(text)
    if "\t" not in text:
        return cell_len(safe_text(text))
    return sum(cells for _, _, cells in graphemes(text, tab))


def next_break(line: str, start: int, width: int, tab: int) -> int | None:
    """Where the row of `line` that starts at `start` ends; None when the rest of the line fits.

    Rows break before a word or beside an ideograph, and within a word wider than a row, never in a
    grapheme. The blanks after a word count with it, so that the cursor stays in sight. The rule
    looks at nothing before `start`.
    """
    piece = line[start : start + width + 1]
    if _plain(piece):
        if len(piece) <= width:
            return None
        end = start + width
        blank = line.rfind(" ", start, end) + 1
        if blank and line[blank] != " ":
            return blank
    else:
        end = _fitting(line, start, width, tab)
        if end >= len(line):
            return None
    for at in range(end, start, -1):
        if _may_break(line[at - 1], line[at]):
            return at
    return end


def _fitting(line: str, start: int, width: int, tab: int) -> int:
    """The end of what fits from `start` on, at least one grapheme."""
    piece, column, last = line[start : start + 2 * width + _SLACK], 0, 0
    for begin, end, cells in graphemes(piece, tab):
        column += cells
        if column > width and begin:
            return start + begin
        last = end
    return start + last


def _may_break(before: str, after: str) -> bool:
    if after.isspace():
        return False
    return before.isspace() or is_wide(before) or is_wide(after)


def breaks_of(line: str, width: int, tab: int) -> list[int]:
    """The offsets at which the second and later rows of a line start; no `width` means one row."""
    breaks: list[int] = []
    at: int | None = 0
    while width and (at := next_break(line, at, width, tab)) is not None:
        breaks.append(at)
    return breaks


class Rows(WrappedDocument):
    """A document in rows of `width` cells; a row is known by its number from the top.

    Takes the place of Textual's, which breaks a changed line anew from its start to its end and
    moves every row below. Here the rows of a changed line are broken from a little before the edit
    to where they are the old ones again, and the places of rows are added up when asked for.
    `on_change` is told the first and the last line that an edit has replaced.
    """

    def __init__(
        self,
        document: DocumentBase,
        width: int = 0,
        tab_width: int = 4,
        on_change: Callable[[int, int], None] | None = None,
    ) -> None:
        self.document = document
        self._on_change = on_change
        self._width, self._tab_width = width, tab_width
        self._wrap_offsets: list[list[int]] = []
        self._lengths: list[int] = []
        self._ends: list[int] | None = None
        """By line: how many rows there are up to its end; None when they are to be counted."""
        self.wrap(width, tab_width)

    @property
    def wrapped(self) -> bool:
        return self.height == len(self._wrap_offsets)

    @property
    def lines(self) -> list[list[str]]:
        return [self.get_sections(number) for number in range(len(self._wrap_offsets))]

    @property
    def _row_ends(self) -> list[int]:
        if self._ends is None:
            self._ends = list(accumulate(len(breaks) + 1 for breaks in self._wrap_offsets))
        return self._ends

    @property
    def height(self) -> int:
        return self._row_ends[-1]

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        tab = tab_width or self._tab_width
        same = (width, tab) == (self._width, self._tab_width)
        if same and len(self._wrap_offsets) == self.document.line_count:
            return
        self._width, self._tab_width = width, tab
        self._wrap_offsets = [breaks_of(line, width, tab) for line in self.document.lines]
        self._lengths = [len(line) for line in self.document.lines]
        self._ends = None

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Break anew what an edit from `start` touched; the document has been edited already."""
        lines, offsets = self.document.lines, self._wrap_offsets
        added = len(lines) - len(offsets)
        top = min(start[0], old_end[0], new_end[0], len(offsets) - 1, len(lines) - 1)
        bottom = min(max(old_end[0], new_end[0] - added, top, top - added), len(offsets) - 1)
        if bottom + added == top == bottom:
            changed = [self._again(top, start[1], max(old_end[1], new_end[1]))]
        else:
            width, tab = self._width, self._tab_width
            changed = [breaks_of(line, width, tab) for line in lines[top : bottom + added + 1]]
        before = sum(len(breaks) for breaks in offsets[top : bottom + 1])
        offsets[top : bottom + 1] = changed
        self._lengths[top : bottom + 1] = [len(line) for line in lines[top : bottom + added + 1]]
        if added or sum(map(len, changed)) != before:
            self._ends = None
        if self._on_change is not None:
            self._on_change(top, bottom)

    def _again(self, number: int, start: int, end: int) -> list[int]:
        """The breaks of one line that was edited from `start` on, and not beyond `end`.

        A row's end depends on the row after it at most, so those before the row above are as before; and
        once a row starts where an old one did, moved with the text, all that follow do too.
        """
        line, old = self.document.get_line(number), self._wrap_offsets[number]
        moved = len(line) - self._lengths[number]
        keep = max(0, bisect_right(old, start) - 3)
        breaks = list(old[:keep])
        at: int | None = breaks[-1] if breaks else 0
        while (
            self._width and (at := next_break(line, at, self._width, self._tab_width)) is not None
        ):
            if at > end:
                same = bisect_left(old, at - moved)
                if same < len(old) and old[same] == at - moved:
                    breaks += [offset + moved for offset in old[same:]] if moved else old[same:]
                    break
            breaks.append(at)
        return breaks

    # ------------------------------------------------------------------ places

    def row(self, number: int) -> tuple[int, int, int, bool] | None:
        """(line, start, end, is the line's last) of a row; None below the last one."""
        ends = self._row_ends
        line = bisect_right(ends, number)
        if line >= len(ends):
            return None
        offsets = self._wrap_offsets[line]
        section = number - (ends[line] - len(offsets) - 1)
        return (line, *self._span(line, section), section == len(offsets))

    def _span(self, line: int, section: int) -> tuple[int, int]:
        offsets = self._wrap_offsets[line]
        start = offsets[section - 1] if section else 0
        return start, offsets[section] if section < len(offsets) else len(self.document[line])

    def location_to_offset(self, location: Location) -> Offset:
        line, column = location
        line = min(max(0, line), len(self._wrap_offsets) - 1)
        offsets = self._wrap_offsets[line]
        section = bisect_right(offsets, column)
        start, _ = self._span(line, section)
        x = width_of_row(self.document[line][start:column], self._tab_width)
        return Offset(x, self._row_ends[line] - len(offsets) - 1 + section)

    def offset_to_location(self, offset: Offset) -> Location:
        x, y = offset
        ends = self._row_ends
        y = min(max(0, y), ends[-1] - 1)
        line = bisect_right(ends, y)
        section = y - (ends[line] - len(self._wrap_offsets[line]) - 1)
        return line, self.get_target_document_column(line, max(0, x), section)

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        sections = len(self._wrap_offsets[line_index]) + 1
        section = y_offset % sections
        start, end = self._span(line_index, section)
        text, column, last = self.document[line_index][start:end], 0, 0
        for begin, _, cells in graphemes(text, self._tab_width):
            column += cells
            if column > x_offset:
                return start + begin
            last = begin
        # The end of a row that is not the last of its line is the start of the next one.
        return end if section == sections - 1 else start + last

    def get_sections(self, line_index: int) -> list[str]:
        line, starts = self.document[line_index], [0, *self.get_offsets(line_index)]
        return [line[a:b] for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]
