"""Labels and values under each other; long values go on below their beginning."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from ..safe_text import safe_line

GAP = 2
_PIECES = re.compile(r"[^ /_-]*[ /_-]?")


class Facts(Widget):
    """A title, and what is known below it."""

    DEFAULT_CSS = "Facts { height: auto; }"

    title: reactive[str] = reactive("", layout=True)
    facts: reactive[Sequence[tuple[str, str]]] = reactive((), layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._lines(width)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        label_width = max((len(label) for label, _ in self.facts), default=0) + GAP
        lines = [Content.styled(line, "bold") for line in _wrapped(self.title, width)]
        lines += [Content()] if self.facts else []
        for label, value in self.facts:
            first, *rest = _wrapped(value, width - label_width)
            lines.append(Content.assemble((f"{label:<{label_width}}", "$dim"), first))
            lines += [Content(" " * label_width + line) for line in rest]
        return lines


def _wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken where a name or a path can be."""
    width = max(4, width)
    lines = [""]
    for piece in _PIECES.findall(safe_line(text)):
        if cell_len(lines[-1] + piece.rstrip()) > width and lines[-1]:
            lines.append("")
        *whole, rest = chop_cells(piece, width) if piece else [""]
        lines[-1:] = [*whole, rest] if not lines[-1] else [lines[-1] + piece]
    return [line.rstrip() for line in lines]
