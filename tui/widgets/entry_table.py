"""A table of the Library: one line an entry, sorted by a column, one line chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.widget import Widget

from ..library import Column, Entry, obstacle
from .lines import shortened

LEAST_NAME = 34
"""Cells for the name below which other columns give way."""
GAP = "  "
SCROLL = 3


class EntryTable(Widget):
    """Shows as many entries as fit, the chosen one among them; other widgets take the keys."""

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
        self._at = 0
        self._first = 0

    @property
    def chosen(self) -> Entry | None:
        return self.entries[self._at] if self._at < len(self.entries) else None

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
        self._at = paths.index(before.path) if before and before.path in paths else 0
        self._widths = {
            column.key: max(
                [cell_len(column.title) + 1, *(cell_len(column.text(e)) for e in entries)]
            )
            for column in columns[1:]
        }
        self.post_message(self.Chosen(self.chosen))
        self.refresh()

    def choose(self, path: str | Path) -> None:
        """Choose the entry with this path, if it is among them."""
        paths = [entry.path for entry in self.entries]
        if path in paths:
            self.move(paths.index(path) - self._at)

    def move(self, step: int) -> None:
        """Choose another line; the first and the last stop it."""
        if self.entries:
            self._at = max(0, min(self._at + step, len(self.entries) - 1))
            self.post_message(self.Chosen(self.chosen))
            self.refresh()

    @property
    def page(self) -> int:
        """Lines of entries that fit."""
        return max(1, self.size.height - 1)

    @property
    def place(self) -> str:
        """Where in the list the chosen line is: `3 of 5,000`."""
        return f"{min(self._at + 1, len(self.entries)):,} of {len(self.entries):,}"

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            at = 0
            for column, width in self._fitting():
                at += width + len(GAP)
                if event.x < at:
                    self.post_message(self.Sorted(column))
                    return
            return
        number = self._first + event.y - 1
        if number == self._at and event.chain > 1:
            self.post_message(self.Taken())
        elif number < len(self.entries):
            self.move(number - self._at)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.move(SCROLL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.move(-SCROLL)

    def render(self) -> Content:
        fitting = self._fitting()
        height = self.page
        most = max(0, len(self.entries) - height)
        self._first = min(max(self._first, self._at - height + 1), self._at, most)
        shown = range(self._first, min(self._first + height, len(self.entries)))
        return Content("\n").join(
            [self._head(fitting), *(self._row(number, fitting) for number in shown)]
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
        if number == self._at:
            return Content.styled(
                set_cell_size(text, self.size.width),
                "$block-cursor-foreground on $block-cursor-background",
            )
        if blocked:
            return Content.styled(text, "$dim")
        return Content.assemble((cells[0], ""), (GAP + GAP.join(cells[1:]), "$secondary"))
