"""What tables of lines share: one line is chosen and in view, and the mouse chooses and scrolls."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.widget import Widget

from ..dialog_keys import LINES_KEYS


class LineTable(Widget):
    """Subclasses say how many lines there are, draw those of `in_view`, and tell what happens."""

    BINDINGS: ClassVar[list[BindingType]] = [*LINES_KEYS]

    HEAD = 0
    """Lines above the first one that is counted."""
    SCROLL = 3
    """How far a turn of the wheel goes."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        """The number of the chosen line."""
        self._first = 0

    @property
    def count(self) -> int:
        """How many lines there are, in view or not."""
        raise NotImplementedError

    def told(self) -> None:
        """Tell that another line is chosen now."""
        raise NotImplementedError

    def taken(self) -> None:
        """Tell that a person clicked on the chosen line again."""

    @property
    def page(self) -> int:
        """Lines that fit."""
        return max(1, self.size.height - self.HEAD)

    def move(self, step: int) -> None:
        """Choose another line; the first and the last stop it."""
        at = max(0, min(self.at + step, self.count - 1))
        if at != self.at:
            self.at = at
            self.told()
            self.refresh()

    def action_move(self, step: int) -> None:
        self.move(step)

    def action_page(self, pages: int) -> None:
        self.move(pages * self.page)

    def in_view(self) -> range:
        """The numbers of the lines to draw, the chosen one among them."""
        most = max(0, self.count - self.page)
        self._first = min(max(self._first, self.at - self.page + 1), self.at, most)
        return range(self._first, min(self._first + self.page, self.count))

    def on_click(self, event: Click) -> None:
        number = self._first + event.y - self.HEAD
        if event.y < self.HEAD or number >= self.count:
            return
        if number == self.at and event.chain > 1:
            self.taken()
        else:
            self.move(number - self.at)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.move(self.SCROLL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.move(-self.SCROLL)
