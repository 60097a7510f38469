"""The values of a sweep: one line each, its figures and the beginning of what was said there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message

from ..dialog_keys import VALUES_KEYS
from .line_table import LineTable
from .lines import shortened

LEAST_TEXT = 10
"""Cells for what was said below which it gives way."""
GAP = "  "


@dataclass(frozen=True)
class SweepRow:
    """A value, its figures in the order of the head, and what was said; `style` is that of the
    text."""

    value: str
    cells: tuple[str, ...]
    said: str
    style: str = "$secondary"


class SweepTable(LineTable, can_focus=True):
    """Shows as many values as fit, the chosen one among them; the figures drawn are bold."""

    HELP = "The values of the sweep. The chosen one is marked in the curve."
    HEAD = 1
    SCROLL = 1
    DEFAULT_CSS = "SweepTable { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [*VALUES_KEYS]

    @dataclass
    class Chosen(Message):
        """Another value is chosen now."""

        number: int

    def __init__(self) -> None:
        super().__init__()
        self.rows: Sequence[SweepRow] = ()
        self._head: Sequence[str] = ()
        self._drawn = -1

    def show(self, head: Sequence[str], rows: Sequence[SweepRow], drawn: int) -> None:
        """Show these; `head` names the value and the figures, `drawn` is the figure in the curve."""
        if (head, rows, drawn) == (self._head, self.rows, self._drawn):
            return
        layout = len(rows) != len(self.rows)
        self._head, self.rows, self._drawn = head, rows, drawn
        self.at = min(self.at, max(0, len(rows) - 1))
        self.refresh(layout=layout)

    @property
    def count(self) -> int:
        return len(self.rows)

    def told(self) -> None:
        self.post_message(self.Chosen(self.at))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.rows) + 1 if self.rows else 0

    def render(self) -> Content:
        columns = [self._head, *((row.value, *row.cells) for row in self.rows)]
        widths = [max(map(cell_len, column)) for column in zip(*columns, strict=True)]
        while len(widths) > 2 and sum(widths) + len(GAP) * (len(widths) - 1) > self.size.width:
            widths.pop()
        shown = self.in_view()
        return Content("\n").join(
            [self._titles(widths, shown), *(self._row(it, widths) for it in shown)]
        )

    def _titles(self, widths: Sequence[int], shown: range) -> Content:
        """The head, with how many values are out of view above and below."""
        line = self._line(self._head, "", widths, "$dim")
        above, below = shown.start, len(self.rows) - shown.stop
        said = " ".join([f"↑{above}"] * bool(above) + [f"↓{below}"] * bool(below))
        if not said:
            return line
        room = max(0, self.size.width - cell_len(said) - 1)
        line = line.truncate(room, ellipsis=True)
        gap = " " * max(0, self.size.width - line.cell_length - cell_len(said))
        return Content.assemble(line, gap, (said, "bold $accent"))

    def _row(self, number: int, widths: Sequence[int]) -> Content:
        row = self.rows[number]
        line = self._line((row.value, *row.cells), row.said, widths, row.style)
        if number != self.at:
            return line
        cursor = "block-cursor" if self.has_focus else "block-cursor-blurred"
        plain = line.plain + " " * max(0, self.size.width - line.cell_length)
        return Content.styled(plain, f"${cursor}-foreground on ${cursor}-background")

    def _line(self, cells: Sequence[str], said: str, widths: Sequence[int], style: str) -> Content:
        parts: list[tuple[str, str]] = []
        for column, (cell, width) in enumerate(zip(cells, widths, strict=False)):
            text = " " * (width - cell_len(cell)) + cell
            bold = "bold $primary" if column == self._drawn + 1 else style
            parts += [(GAP if column else "", ""), (text, bold)]
        room = self.size.width - sum(cell_len(text) for text, _ in parts) - len(GAP)
        if room >= LEAST_TEXT:
            parts += [(GAP, ""), (shortened(said, room), style)]
        return Content.assemble(*parts)
