"""Tables that scroll, while the heading of the one in view stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from .lines import Line, Paragraph


@dataclass(frozen=True)
class Head:
    """A heading that stands on line `first` of a widget, of a table that ends before line `end`."""

    first: int
    end: int
    text: Content


class HeadedText(Paragraph):
    """Words that wrap, with the headings of the tables among them."""

    heads: Sequence[Head] = ()


class HeadedScroll(VerticalScroll):
    """Keeps the heading of a table on its first line while that scrolls away below it. Widgets in it
    say where their `heads` are."""

    DEFAULT_CSS = """
    HeadedScroll {
        layers: default head;
        .kept-head { layer: head; dock: top; background: $surface; visibility: hidden; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Line(classes="kept-head")

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.show_head()

    def show_head(self) -> None:
        """Show the heading of what is in view by now."""
        line = next(iter(self.query_children(".kept-head").results(Line)), None)
        if line is None:
            return
        found = None
        for child in self.children:
            at = self.scroll_offset.y - child.virtual_region.y
            heads: Sequence[Head] = getattr(child, "heads", ()) if child.display else ()
            found = next((it for it in heads if it.first < at < it.end - 1), found)
        line.say(found.text if found is not None else Content())
        line.visible = found is not None
