"""The text of an output among others: a difference gone to is marked, and others scroll with it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from .output_text import OutputText

_REVERSE = Style(reverse=True)


class ComparedText(OutputText):
    """Adds to `OutputText` places that a person goes to."""

    @dataclass
    class Scrolled(Message):
        """A person scrolled this text."""

        text: ComparedText

        @property
        def control(self) -> ComparedText:
            return self.text

    def __init__(self) -> None:
        super().__init__()
        self._here: tuple[int, int] | None = None

    @property
    def top(self) -> int:
        """The offset at which the first line in view starts."""
        return self._lines[min(self.scroll_offset.y, len(self._lines) - 1)][0] if self._lines else 0

    def row_of(self, offset: int) -> int:
        """The row of the view that a character is on; one out of view has none of those rows."""
        return self._line_at(offset) - self.scroll_offset.y

    def point_at(self, place: tuple[int, int] | None) -> None:
        """Mark the characters from one offset to another, and their first line at its end."""
        old, self._here = self._here, place
        if old == place:
            return
        for start, end in filter(None, (old, place)):
            first, last = self._line_at(start), self._line_at(end) + 1
            for line in range(first, last):
                self._strips.pop(line, None)
            self.refresh_lines(first, last - first)

    def bring(self, offset: int) -> None:
        """Scroll a character into the upper third, unless it is well in view."""
        row, page = self.row_of(offset), self.size.height
        self._following = self._resting = False
        if not min(1, self.scroll_offset.y) <= row < page - 1:
            self._scroll(max(0, self._line_at(offset) - page // 3))

    def place(self, offset: int, row: int) -> None:
        """Scroll a character to a row of the view, as far as that can be."""
        self._following = self._resting = False
        self._scroll(max(0, self._line_at(offset) - row))

    def overscroll(self, on: bool) -> None:
        """Whether the last line, too, can be scrolled up to the first row."""
        if on != self.overscrolled:
            self.overscrolled = on
            self._resize_canvas()

    def _wrap_width(self) -> int:
        """One cell less, so that the mark at the end of a line keeps off its words."""
        return max(1, super()._wrap_width() - 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._scrolling:
            self.post_message(self.Scrolled(self))

    def _segments(self, start: int, end: int, style: Style) -> list[Segment]:
        here, there = self._here or (0, 0)
        here = min(max(here, start), end)
        there = min(max(there, here), end)
        return [
            self._segment(start, here, style),
            self._segment(here, there, style + _REVERSE),
            self._segment(there, end, style),
        ]

    def _make_strip(self, number: int, base: Style) -> Strip:
        strip = super()._make_strip(number, base)
        if self._here is None or self._line_at(self._here[0]) != number:
            return strip
        mark = Segment(" ◂", self.get_component_rich_style("output-text--here"))
        return Strip.join([strip.adjust_cell_length(self._width, base), Strip([mark])])
