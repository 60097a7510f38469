"""Ask for a number."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from ..widgets.safe_input import SafeInput
from .dialog import Dialog


class HowMany(Dialog[int]):
    """Gives a whole number between two others."""

    def __init__(self, title: str, value: int, least: int, most: int) -> None:
        super().__init__()
        self._title, self._value, self._least, self._most = title, value, least, most

    def title_text(self) -> str:
        return self._title

    def body(self) -> Iterable[Widget]:
        hint = f"{self._least} to {self._most}"
        yield SafeInput(str(self._value), placeholder=hint, select_on_focus=True, compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.problem("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        number = int(typed) if typed.isdecimal() and len(typed) < 10 else None
        if number is None or not self._least <= number <= self._most:
            self.problem(f"Give a number from {self._least} to {self._most}.")
        else:
            self.dismiss(number)
