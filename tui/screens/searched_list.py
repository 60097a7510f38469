"""What the Library and Evaluate share: a list that typing searches, and details beside it to read."""

from __future__ import annotations

from textual.widgets import Input

from ..widgets.entry_details import EntryDetails
from ..widgets.line_table import LineTable
from .page import Page


class SearchedList(Page[None]):
    """Has one field, one list and its details; the field keeps the focus unless these are read."""

    @property
    def details(self) -> EntryDetails:
        return self.query_one(EntryDetails)

    @property
    def lines(self) -> LineTable:
        """The list."""
        return self.query_one(LineTable)

    def show_hints(self) -> None:
        """Say which keys matter now."""
        raise NotImplementedError

    def action_move(self, step: int) -> None:
        """Choose the line above or below; in the details, scroll by a line."""
        if self.details.has_focus:
            self.details.scroll_relative(y=step, animate=False)
        else:
            self.lines.move(step)

    def action_page(self, pages: int) -> None:
        if self.details.has_focus:
            self.details.scroll_relative(y=pages * self.details.size.height, animate=False)
        else:
            self.lines.move(pages * self.lines.page)

    def action_details(self) -> None:
        """To the details, whose lines the arrows scroll, and back."""
        (self.query_one(Input) if self.details.has_focus else self.details).focus()

    def action_leave(self) -> None:
        """Out of the details, else take the search back, else back to the playground."""
        field = self.query_one(Input)
        if not field.has_focus:
            field.focus()
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()

    def on_descendant_focus(self) -> None:
        self.set_class(self.details.has_focus, "-reading")
        self.show_hints()
