"""A row of words one of which is chosen; left and right move between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from ..dialog_keys import TABS_KEYS
from ..safe_text import safe_line


class TabStrip(Widget, can_focus=True):
    """Tabs without boxes: the chosen one is bold and underlined."""

    DEFAULT_CSS = """
    TabStrip { height: 1; width: auto; color: $dim; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*TABS_KEYS]

    tabs: reactive[Sequence[tuple[str, str]]] = reactive((), layout=True)
    """(key, title) of each tab."""
    chosen: reactive[str] = reactive("")

    @dataclass
    class Chosen(Message):
        """A person chose the tab with this key."""

        strip: TabStrip
        key: str

        @property
        def control(self) -> TabStrip:
            return self.strip

    def action_step(self, step: int) -> None:
        keys = [key for key, _ in self.tabs]
        if keys:
            at = keys.index(self.chosen) if self.chosen in keys else 0
            self.choose(keys[(at + step) % len(keys)])

    def choose(self, key: str) -> None:
        """Choose a tab as if a person had."""
        self.chosen = key
        self.post_message(self.Chosen(self, key))

    def get_content_width(self, container: object, viewport: object) -> int:
        return sum(map(_width, self.tabs))

    def _shown(self) -> Sequence[tuple[str, str]]:
        """The tabs there is room for, the chosen one among them; `‹` and `›` stand for others."""
        tabs, room = list(self.tabs), self.size.width
        if not room or sum(map(_width, tabs)) <= room + 2:
            return tabs
        at = next((i for i, (key, _) in enumerate(tabs) if key == self.chosen), 0)
        first, end = at, at + 1
        while end < len(tabs) or first:
            grown = (first, end + 1) if end < len(tabs) else (first - 1, end)
            ends = 3 * (grown[0] > 0) + 3 * (grown[1] < len(tabs))
            if sum(map(_width, tabs[slice(*grown)])) + ends > room + 2:
                break
            first, end = grown
        before = [(tabs[first - 1][0], "‹")] if first else []
        after = [(tabs[end][0], "›")] if end < len(tabs) else []
        return [*before, *tabs[first:end], *after]

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for key, title in self._shown():
            mark = "reverse" if self.has_focus else "underline"
            style = f"bold $primary {mark}" if key == self.chosen else "$dim"
            parts += [(safe_line(title), style), ("  ", "")]
        return Content.assemble(*parts)

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        at = 0
        for tab in self._shown():
            at += _width(tab)
            if offset.x < at:
                self.choose(tab[0])
                return


def _width(tab: tuple[str, str]) -> int:
    return cell_len(safe_line(tab[1])) + 2
