"""Ask for one line: a text, or what it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from ..widgets.safe_input import SafeInput
from .dialog import Dialog

Result = TypeVar("Result")


class OneLine(Dialog[Result]):
    """A field with a value; with `adding` what is typed goes behind it instead of in its place."""

    def __init__(self, title: str, value: str, placeholder: str, *, adding: bool = False) -> None:
        super().__init__()
        self._adding = adding
        self._title, self._value, self._placeholder = title, value, placeholder

    def title_text(self) -> str:
        return self._title

    def body(self) -> Iterable[Widget]:
        yield SafeInput(
            self._value,
            placeholder=self._placeholder,
            select_on_focus=not self._adding,
            compact=True,
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()


class Ask(OneLine[str]):
    """Gives what was typed."""

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
