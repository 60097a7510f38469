"""Single lines of words: one with two ends, one that says less where there is less room."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from ..safe_text import safe_line

EMPTY = Content()


def shortened(text: str, width: int) -> str:
    """`text` on one line of at most `width` cells, with an ellipsis where it is cut."""
    text = safe_line(text)
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def _same(old: Sequence[Content], new: Sequence[Content]) -> bool:
    """Equal in words and styles; `==` on Content looks at the words alone."""
    return len(old) == len(new) and all(a.is_same(b) for a, b in zip(old, new, strict=True))


class Line(Widget):
    """One line with a left and a right part; the left one gives way."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, name: str = "", *, classes: str | None = None) -> None:
        super().__init__(id=name or None, classes=classes)
        self.parts = (Content(), Content())

    def say(self, left: Content, right: Content = EMPTY) -> bool:
        """Show these; whether they differ from what was shown."""
        if _same(self.parts, (left, right)):
            return False
        self.parts = (left, right)
        self.refresh()
        return True

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return sum(part.cell_length for part in self.parts)

    def render(self) -> Content:
        left, right = self.parts
        right = right.truncate(self.size.width, ellipsis=True)
        room = self.size.width - right.cell_length - (2 if right else 0)
        left = left.truncate(max(0, room), ellipsis=True)
        gap = self.size.width - left.cell_length - right.cell_length
        return Content.assemble(left, " " * max(0, gap), right)


class Paragraph(Static):
    """Words that wrap; the screen is laid out anew only when they take another number of lines."""

    DEFAULT_CSS = "Paragraph { height: auto; }"

    def __init__(self, name: str = "") -> None:
        super().__init__(id=name or None, markup=False)
        self._said = Content()

    def say(self, said: Content) -> None:
        """Show these."""
        if said.is_same(self._said):
            return
        before, self._said, width = self._said, said, self.content_size.width
        same = width > 0 and before.get_height({}, width) == said.get_height({}, width)
        self.update(said, layout=not same)


class FittedLine(Widget):
    """The first of several ways to say something that fits on one line."""

    DEFAULT_CSS = "FittedLine { height: 1; width: 1fr; }"

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.ways: Sequence[Content] = ()

    def say(self, ways: Sequence[Content]) -> None:
        """Show one of these."""
        if not _same(self.ways, ways):
            self.ways = ways
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        fitting = (way for way in self.ways if way.cell_length <= width)
        last = self.ways[-1] if self.ways else Content()
        return next(fitting, last.truncate(width, ellipsis=True))
