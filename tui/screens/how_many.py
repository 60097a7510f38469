"""Ask for a number."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from .ask import OneLine


class HowMany(OneLine[int]):
    """Gives a whole number between two others."""

    def __init__(self, title: str, value: int, least: int, most: int) -> None:
        super().__init__(title, str(value), f"{least} to {most}")
        self._least, self._most = least, most

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
