"""What all dialogs share: a title, a place for a problem in words, and a line of keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from ..dialog_keys import DIALOG_KEYS
from ..key_names import line_of_keys, with_keys
from .mistakes import TellsMistakes
from .styles import styles

Result = TypeVar("Result")

LOW = 24
"""Below this many lines a dialog does without its margins."""


class Dialog(TellsMistakes, ModalScreen[Result | None], Generic[Result]):
    """A question over the screen; escape answers None."""

    DEFAULT_CSS = styles("dialog.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*DIALOG_KEYS]

    TITLE_TEXT = ""
    _answered = False
    KEYS_TEXT = "enter take · {dialog.cancel} cancel"
    """The line of keys; an id of a binding in braces stands for its key."""
    MOST_LINES = 14
    """How high what scrolls may be, where there is room: the widget of class `dialog-scroll`."""

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
            yield Static(line_of_keys(self, self.KEYS_TEXT), id="dialog-keys", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Do nothing while it has no widgets yet: a key pressed just before it opened may arrive then."""
        return self.is_mounted

    def on_resize(self) -> None:
        self.set_class(self.size.height < LOW, "-low")
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Let what scrolls take the lines that the rest leaves, so that the keys stay in view."""
        if not self.children:  # it was closed meanwhile
            return
        box = self.query_one("#dialog")
        lines = {w: w.outer_size.height + w.styles.margin.height for w in box.children if w.display}
        scrolling = [widget for widget in lines if widget.has_class("dialog-scroll")]
        rest = sum(height for widget, height in lines.items() if widget not in scrolling)
        room = self.size.height - box.gutter.height - rest
        for widget in scrolling:
            most = max(2, room - widget.styles.margin.height)
            widget.styles.max_height = min(most, self.MOST_LINES)

    def problem(self, sentence: str) -> None:
        """Say what is wrong; an empty sentence takes it back."""
        widget = self.query_one("#dialog-problem", Static)
        widget.update(with_keys(self, sentence))
        widget.display = bool(sentence)
        self.call_after_refresh(self._fit)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with an answer, once: keys pressed twice, and checks that end late, are nothing."""
        if self._answered or not self.is_current:
            return AwaitComplete.nothing()
        self._answered = True
        return super().dismiss(result)

    def tell_mistake(self, sentence: str) -> None:
        self.problem(sentence)

    def action_cancel(self) -> None:
        self.dismiss(None)
