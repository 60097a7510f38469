"""The rows of an evaluation: one line each, with a mark for every variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content

from ..asked_rows import ERROR, FAILED, MARKS, PASSED, AskedRow
from ..dialog_keys import ROWS_KEYS
from .chosen_lines import ChosenLines, padded

STYLES = {PASSED: "$success", FAILED: "$error", ERROR: "bold $error"}
MOST_TAGS, MOST_TITLE = 20, 12


class RowTable(ChosenLines[AskedRow]):
    """Rows with their marks; the variants' names are above them."""

    HELP = "Rows of the evaluation, a mark for each variant: " + ", ".join(
        f"{mark} {means}" for mark, means in MARKS.items()
    )
    HEAD = 1
    BINDINGS: ClassVar[list[BindingType]] = [*ROWS_KEYS]

    def __init__(self) -> None:
        super().__init__()
        self._variants: Sequence[tuple[str, str]] = ()
        self._widths = (4, 0)

    def show_rows(self, rows: Sequence[AskedRow], variants: Sequence[tuple[str, str]]) -> None:
        """Show these; `variants` are names with what they are called."""
        self._variants = variants
        lines = max((len(f"{row.line:,}") for row in rows), default=0)
        tags = max((cell_len(", ".join(row.tags)) for row in rows), default=0)
        self._widths = (max(4, lines), min(MOST_TAGS, tags))
        self.show(rows)

    @property
    def _columns(self) -> list[tuple[str, str, int]]:
        """Each variant's name, title and width: what it is called where there is room for that."""
        room = (self.size.width - self._widths[0]) // 2
        titles = [(name, padded(called, min(MOST_TITLE, cell_len(called)))) for name, called in self._variants]  # fmt: skip
        if sum(cell_len(title) + 2 for _, title in titles) > room:
            titles = [(name, name) for name, _ in self._variants]
        return [(name, title, max(2, cell_len(title))) for name, title in titles]

    def key_of(self, item: AskedRow) -> object:
        return item.place

    def head(self) -> Content:
        line, tags = self._widths
        cells = [padded("LINE", line, right=True)]
        cells += [padded(title, width) for _, title, width in self._columns]
        cells += [padded("TAGS", tags)] if tags else []
        return Content.styled("  ".join([*cells, "ASKS"]), "$dim").truncate(self.size.width)

    def parts_of(self, item: AskedRow) -> list[tuple[str, str]]:
        line, tags = self._widths
        parts = [(padded(f"{item.line:,}", line, right=True), "$dim")]
        for name, _, width in self._columns:
            mark = item.marks[name]
            parts += [("  ", ""), (padded(mark, width), STYLES.get(mark, "$warning"))]
        if tags:
            parts += [("  ", ""), (padded(", ".join(item.tags), tags), "$secondary")]
        room = self.size.width - sum(cell_len(text) for text, _ in parts) - 2
        return [*parts, ("  ", ""), (padded(item.asks, max(0, room)), "")]
