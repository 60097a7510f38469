"""Ask for the name and the file name of a prompt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from ...prompts.library import PromptEntry
from ..dialog_keys import NAME_KEYS
from ..safe_text import safe_line
from ..widgets.safe_input import SafeInput
from .dialog import Dialog


class NamePrompt(Dialog[tuple[str, str]]):
    """Gives the file name, without its ending, and the name."""

    KEYS_TEXT = "{name.other} the other field · enter rename · {dialog.cancel} cancel"
    BINDINGS: ClassVar[list[BindingType]] = [*NAME_KEYS]

    def __init__(self, entry: PromptEntry) -> None:
        super().__init__()
        self._entry = entry

    def title_text(self) -> str:
        return f"Rename {safe_line(self._entry.name)}"

    def body(self) -> Iterable[Widget]:
        yield Static("name")
        yield SafeInput(self._entry.name, id="name-shown", select_on_focus=False, compact=True)
        yield Static("file name")
        yield SafeInput(self._entry.slug, id="name-file", select_on_focus=False, compact=True)

    def on_mount(self) -> None:
        self.query_one("#name-shown", Input).focus()

    def action_other(self) -> None:
        next(field for field in self.query(Input) if not field.has_focus).focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        slug, name = (
            self.query_one(key, Input).value.strip() for key in ("#name-file", "#name-shown")
        )
        if not slug or not name:
            self.problem("A prompt needs a name and a file name.")
        else:
            self.dismiss((slug, name))
