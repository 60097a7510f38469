"""What all dialogs share: a title, a place for a problem in words, and a line of keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], Generic[Result]):
    """A question over the screen; escape answers None."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="dialog.cancel"),
    ]

    TITLE_TEXT = ""
    KEYS_TEXT = "enter take · esc cancel"

    def title_text(self) -> str:
        """What the dialog asks."""
        return self.TITLE_TEXT

    def body(self) -> Iterable[Widget]:
        """The widgets between the title and the line of keys."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self.title_text(), id="dialog-title", markup=False)
            yield from self.body()
            yield Static(id="dialog-problem", markup=False)
            yield Static(self.KEYS_TEXT, id="dialog-keys", markup=False)

    def problem(self, sentence: str) -> None:
        """Say what is wrong; an empty sentence takes it back."""
        widget = self.query_one("#dialog-problem", Static)
        widget.update(sentence)
        widget.display = bool(sentence)

    def action_cancel(self) -> None:
        self.dismiss(None)
