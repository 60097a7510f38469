"""The decision table: the verdict, then prompting, fine-tuning and both side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from ..decision_lines import decision_lines, is_stacked, wrapped
from .headed_scroll import Head

NOTHING = "No decision: no variant differs from the baseline in its prompt or its adapters."


class DecisionTable(Widget):
    """Shows what `decision_document` gives, as high as it needs; scrolling is its parent's."""

    HELP = "Prompt or fine-tune? What each costs and gives, and what follows."
    DEFAULT_CSS = "DecisionTable { height: auto; }"

    decision: reactive[Mapping[str, Any] | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__()
        self._made: tuple[object, list[Content]] = (None, [])
        """The lines, and what they were made from."""

    @property
    def heads(self) -> list[Head]:
        """Its heading, where there is one: in columns."""
        width = self.size.width
        if self.decision is None or not width or is_stacked(self.decision, width):
            return []
        first = len(wrapped(self.decision["verdict"], width)) + 1
        lines = self._lines(width)
        end = next((n for n, it in enumerate(lines) if n > first and not it.plain), len(lines))
        return [Head(first, end, lines[first])]

    def watch_decision(self) -> None:
        self.refresh(layout=len(self._lines(self.size.width)) != self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        key = (self.decision, width)
        if key != self._made[0]:
            self._made = key, self._drawn(self.decision, width)
        return self._made[1]

    @staticmethod
    def _drawn(decision: Mapping[str, Any] | None, width: int) -> list[Content]:
        if decision is None:
            return [Content(line) for line in wrapped(NOTHING, width)]
        lines = [Content.styled(line, "bold") for line in wrapped(decision["verdict"], width)]
        lines.append(Content())
        for number, (title, rest) in enumerate(decision_lines(decision, width)):
            style = "bold" if not number else ""
            lines.append(Content.assemble((title, "$dim"), (rest, style)))
        lines.append(Content())
        for said in decision["notes"]:
            lines += [Content.styled(line, "$dim") for line in wrapped(said, width)]
        return lines
