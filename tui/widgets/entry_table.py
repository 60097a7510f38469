"""A table of the Library: one line an entry, sorted by a column, one line chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.events import Click
from textual.message import Message

from ..library import Column, Entry, obstacle
from .line_table import LineTable
from .lines import shortened

LEAST_NAME = 34
"""Cells for the name below which other columns give way."""
GAP = "  "


class EntryTable(LineTable):
    """Shows as many entries as fit, the chosen one among them; other widgets take the keys."""

    HEAD = 1
    DEFAULT_CSS = "EntryTable { height: 1fr; }"

    @dataclass
    class Chosen(Message):
        """The chosen line is another now, or says something else; None if there is none."""

        entry: Entry | None

    @dataclass
    class Taken(Message):
        """A person clicked on the chosen line again."""

    @dataclass
    class Sorted(Message):
        """A person clicked on the title of this column."""

        column: Column

    def __init__(self) -> None:
        super().__init__()
        self.entries: Sequence[Entry] = ()
        self._columns: Sequence[Column] = ()
        self._sorted: tuple[str, bool] = ("", False)
        self._widths: dict[str, int] = {}

    @property
    def chosen(self) -> Entry | None:
        return self.entries[self.at] if self.at < len(self.entries) else None

    @property
    def count(self) -> int:
        return len(self.entries)

    def show(
        self,
        entries: Sequence[Entry],
        columns: Sequence[Column],
        by: Column | None,
        *,
        descending: bool,
    ) -> None:
        """Show these, sorted `by` a column, the chosen one chosen still if it is among them."""
        before = self.chosen
        paths = [entry.path for entry in entries]
        self.entries, self._columns = entries, columns
        self._sorted = (by.key if by else "", descending)
        self.at = paths.index(before.path) if before and before.path in paths else 0
        self._widths = {
            column.key: max(
                [cell_len(column.title) + 1, *(cell_len(column.text(e)) for e in entries)]
            )
            for column in columns[1:]
        }
        self.told()
        self.refresh()

    def choose(self, path: str | Path) -> None:
        """Choose the entry with this path, if it is among them."""
        paths = [entry.path for entry in self.entries]
        if path in paths:
            self.move(paths.index(path) - self.at)

    def told(self) -> None:
        self.post_message(self.Chosen(self.chosen))

    def taken(self) -> None:
        self.post_message(self.Taken())

    @property
    def place(self) -> str:
        """Where in the list the chosen line is: `3 of 5,000`."""
        return f"{min(self.at + 1, len(self.entries)):,} of {len(self.entries):,}"

    def on_click(self, event: Click) -> None:
        """On a title; the lines below are the base's."""
        at = 0
        for column, width in self._fitting() if event.y == 0 else ():
            at += width + len(GAP)
            if event.x < at:
                self.post_message(self.Sorted(column))
                return

    def render(self) -> Content:
        fitting = self._fitting()
        return Content("\n").join(
            [self._head(fitting), *(self._row(number, fitting) for number in self.in_view())]
        )

    def _fitting(self) -> list[tuple[Column, int]]:
        """The columns there is room for, and their widths; the name has what is left."""
        others = list(self._columns[1:])
        while True:
            taken = sum(self._widths.get(column.key, 0) + len(GAP) for column in others)
            room = self.size.width - taken
            if room >= LEAST_NAME or not others:
                break
            others.remove(min(others, key=lambda column: column.keep))
        shown = [column for column in self._columns[1:] if column in others]
        named = [(column, max(1, room)) for column in self._columns[:1]]
        return [*named, *((column, self._widths.get(column.key, 0)) for column in shown)]

    def _head(self, fitting: Sequence[tuple[Column, int]]) -> Content:
        key, descending = self._sorted
        parts: list[tuple[str, str]] = []
        for column, width in fitting:
            mark = ("▼" if descending else "▲") if column.key == key else ""
            title = f"{column.title}{mark}"
            pad = " " * max(0, width - cell_len(title))
            style = "bold $primary" if mark else "$dim"
            cell = pad + title if column.right else title + pad
            parts += [(cell, style), (GAP, "")]
        return Content.assemble(*parts[:-1])

    def _row(self, number: int, fitting: Sequence[tuple[Column, int]]) -> Content:
        entry = self.entries[number]
        blocked = obstacle(entry) is not None
        cells: list[str] = []
        for column, width in fitting:
            cell = shortened(column.text(entry), width)
            if blocked and column is self._columns[0]:
                cell = shortened(f"✗ {column.text(entry)}", width)
            pad = " " * max(0, width - cell_len(cell))
            cells.append(pad + cell if column.right else cell + pad)
        text = GAP.join(cells)
        if number == self.at:
            return Content.styled(
                set_cell_size(text, self.size.width),
                "$block-cursor-foreground on $block-cursor-background",
            )
        if blocked:
            return Content.styled(text, "$dim")
        return Content.assemble((cells[0], ""), (GAP + GAP.join(cells[1:]), "$secondary"))
