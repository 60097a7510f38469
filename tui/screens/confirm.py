"""Ask once before something that cannot be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from ..dialog_keys import CONFIRM_KEYS
from .dialog import Dialog


class Confirm(Dialog[bool]):
    """Gives True when a person says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [*CONFIRM_KEYS]

    def __init__(self, title: str, sentence: str, verb: str) -> None:
        super().__init__()
        self._title, self._sentence = title, sentence
        self.KEYS_TEXT = f"{{confirm.take}} or {{confirm.yes}} {verb} · {{dialog.cancel}} or {{confirm.no}} cancel"

    def title_text(self) -> str:
        return self._title

    def body(self) -> Iterable[Widget]:
        yield Static(self._sentence, markup=False, classes="dialog-sentence")

    def action_yes(self) -> None:
        self.dismiss(True)
