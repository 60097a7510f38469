"""A text of tokens, each marked for something, with a cursor that goes from token to token."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, Leave, MouseMove
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..heat import TokenText
from ..keys import HEAT_KEYS
from .wrapping import TAB, Line, break_lines, width_of

EMPTY = TokenText("", (), ())
KindOf = Callable[[int], str]
"""The name of how a token is marked, by its index."""


class HeatText(ScrollView, can_focus=True):
    """Draws the lines in view alone, so that ten thousand tokens scroll as quickly as ten."""

    HELP = (
        "The text, token by token, as both variants see it; nothing is sampled. What B finds "
        "likelier than A is underlined, what it finds unlikelier reversed. The cursor's token, or "
        "the one under the mouse, is told beside it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*HEAT_KEYS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "heat--cursor",
        *(f"heat--{kind}{level}" for kind in ("up", "down", "much") for level in (1, 2, 3)),
    }

    @dataclass
    class Looked(Message):
        """A person went to a token, or `hovered` points at one; None at none any more."""

        index: int | None
        hovered: bool

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._text = EMPTY
        self._kind_of: KindOf = _plain
        self._lines: list[Line] = []
        self._width = 0
        self._strips: dict[int, Strip] = {}
        self._hovered: int | None = None

    @property
    def count(self) -> int:
        """How many tokens there are."""
        return len(self._text.starts)

    @property
    def wrap_width(self) -> int:
        """Cells that a line may take: one less than there are, so that text keeps off the scrollbar."""
        return max(1, self.scrollable_content_region.width - 1)

    def show(
        self, text: TokenText, kind_of: KindOf, lines: Sequence[Line] = (), width: int = 0
    ) -> None:
        """Show another text, with the cursor at its first token.

        `lines` are those of `break_lines` for it at `width`, where they are known.
        """
        self._text, self._kind_of = text, kind_of
        self._width, self.cursor, self._hovered = 0, 0, None
        self._layout(lines, width)
        self.scroll_to(y=0, animate=False)

    def paint(self, kind_of: KindOf) -> None:
        """Mark the same tokens for something else."""
        self._kind_of, self._strips = kind_of, {}
        self.refresh()

    def go_to(self, index: int) -> None:
        """Put the cursor on a token and bring it into view."""
        if not self.count:
            return
        before, self.cursor = self.cursor, max(0, min(index, self.count - 1))
        for token in (before, self.cursor):
            self._redraw(token)
        line, page = self._line_of(self.cursor), self.size.height
        top = self.scroll_offset.y
        if not top <= line < top + page:
            near = abs(line - top) < 2 * page
            target = line if near and line < top else line - page + 1 if near else line - page // 3
            self.scroll_to(y=max(0, target), animate=False)
        self.post_message(self.Looked(self.cursor, hovered=False))

    # ----------------------------------------------------------- laying out

    def _layout(self, lines: Sequence[Line] = (), at: int = 0) -> None:
        width = self.wrap_width
        if width == self._width:
            return
        self._width, self._strips = width, {}
        known = lines if at == width else break_lines(self._text.text, width)
        self._lines = list(known) if self._text.text else []
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        self._layout()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def _line_of(self, token: int) -> int:
        start = self._text.starts[token]
        return max(0, bisect_right(self._lines, start, key=lambda line: line[0]) - 1)

    def _redraw(self, token: int) -> None:
        if token >= self.count:
            return
        first, last = self._line_of(token), self._line_of(token)
        while last + 1 < len(self._lines) and self._lines[last + 1][0] < self._text.ends[token]:
            last += 1
        for line in range(first, last + 1):
            self._strips.pop(line, None)
        self.refresh_lines(first - self.scroll_offset.y, last - first + 1)

    def _token_at(self, offset: int) -> int:
        """The token that the character at an offset belongs to."""
        return min(bisect_right(self._text.ends, offset), max(0, self.count - 1))

    # ------------------------------------------------------------- rendering

    def render_line(self, y: int) -> Strip:
        number, base = self.scroll_offset.y + y, self.rich_style
        if number >= len(self._lines):
            return Strip.blank(self.size.width, base)
        if number not in self._strips:
            if len(self._strips) > 4 * max(1, self.size.height):
                self._strips = {}
            self._strips[number] = self._strip(*self._lines[number], base)
        return self._strips[number]

    def _strip(self, start: int, end: int, base: Style) -> Strip:
        text = self._text
        segments: list[Segment] = []
        at = start
        while at < end:
            token = self._token_at(at)
            stop = self._whole(start, min(text.ends[token], end), end)
            style = self._style(token, base)
            segments.append(Segment(text.text[at:stop].replace("\t", " " * TAB), style))
            at = stop
        return Strip(segments).crop_extend(0, self.size.width, base)

    def _whole(self, start: int, stop: int, end: int) -> int:
        """`stop`, or the end of the character that it lies in as the screen sees characters."""
        line = self._text.text[start:end]
        if line.isascii():
            return stop
        for _begin, finish, _cells in split_graphemes(line)[0]:
            if start + finish >= stop:
                return start + finish
        return end

    def _style(self, token: int, base: Style) -> Style:
        if self.count and self._text.starts[self.cursor] == self._text.starts[token]:
            return self.get_component_rich_style("heat--cursor")
        kind = self._kind_of(token) if token < self.count else ""
        return self.get_component_rich_style(f"heat--{kind}") if kind else base

    # ------------------------------------------------------------------ keys

    def action_move(self, step: int) -> None:
        self.go_to(self.cursor + step)

    def action_line(self, step: int) -> None:
        """To the token above or below."""
        if not self._lines:
            return
        line = self._line_of(self.cursor)
        target = max(0, min(line + step, len(self._lines) - 1))
        if target != line:
            start = self._text.starts[self.cursor]
            column = width_of(self._text.text[self._lines[line][0] : start])
            self.go_to(self._token_in(target, column))

    def action_page(self, step: int) -> None:
        self.action_line(step * max(1, self.size.height - 1))

    def action_end(self, last: bool) -> None:
        self.go_to(self.count - 1 if last else 0)

    def _token_in(self, line: int, column: int) -> int:
        """The token at a column of a line, or its last."""
        start, end = self._lines[line]
        text = self._text.text[start:end]
        at = column
        if not text.isascii() or "\t" in text:
            at = next((i for i in range(len(text)) if width_of(text[: i + 1]) > column), len(text))
        return self._token_at(min(start + at, max(start, end - 1)))

    # ----------------------------------------------------------------- mouse

    def _under(self, x: int, y: int) -> int | None:
        line = y + self.scroll_offset.y
        if not self.count or line >= len(self._lines):
            return None
        if x >= width_of(self._text.text[slice(*self._lines[line])]):
            return None
        return self._token_in(line, x)

    def on_mouse_move(self, event: MouseMove) -> None:
        self._hover(self._under(event.x, event.y))

    def on_leave(self, event: Leave) -> None:
        self._hover(None)

    def _hover(self, token: int | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self.post_message(self.Looked(token, hovered=True))

    def on_click(self, event: Click) -> None:
        token = self._under(event.x, event.y)
        if token is not None:
            self.go_to(token)


def _plain(token: int) -> str:
    return ""
