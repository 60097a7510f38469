"""Ask for the text of a setting, until it can be used."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.widgets import Input

from ...compare.errors import MISTAKES
from ..sentences import for_app
from .ask import OneLine


class AskSetting(OneLine[str]):
    """Gives what was typed, once `check` raises no mistake for it; empty is llamadiff's choice."""

    def __init__(
        self, title: str, value: str, placeholder: str, check: Callable[[str], object]
    ) -> None:
        super().__init__(title, value, placeholder)
        self._check = check

    @on(Input.Changed)
    def _changed(self) -> None:
        self.problem("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self._check(event.value)
        except MISTAKES as mistake:
            self.problem(for_app(str(mistake)))
        else:
            self.dismiss(event.value)
