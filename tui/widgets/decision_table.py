"""The decision table: the verdict, then prompting, fine-tuning and both side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from ..decision_lines import decision_lines, wrapped

NOTHING = "No decision: no variant differs from the baseline in its prompt or its adapters."


class DecisionTable(Widget):
    """Shows what `decision_document` gives, as high as it needs; scrolling is its parent's."""

    HELP = "Prompt or fine-tune? What each costs and gives, and what follows."
    DEFAULT_CSS = "DecisionTable { height: auto; }"

    decision: reactive[Mapping[str, Any] | None] = reactive(None, layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        decision = self.decision
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
