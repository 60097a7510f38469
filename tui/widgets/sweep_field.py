"""The field in which a sweep is typed; what it completes is shown behind the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.suggester import Suggester

from ...compare.variants import Variant
from ..dialog_keys import SWEEP_FIELD_KEYS
from ..sweep_words import completed
from .safe_input import SafeInput


class _Completing(Suggester):
    def __init__(self, variant: Variant) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._variant = variant

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value, self._variant)


class SweepField(SafeInput):
    """Tab, or right at the end, takes what is offered; without an offer tab goes on."""

    HELP = (
        "What is swept, and its values: scale=0:1.5:0.25 from 0 to 1.5 in steps of 0.25, or "
        "temperature=0,0.7,1. Any sampling setting, the scale, or an adapter by its name."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*SWEEP_FIELD_KEYS]

    def __init__(self, variant: Variant, value: str, name: str) -> None:
        super().__init__(value, id=name, compact=True, suggester=_Completing(variant))
        self._variant = variant

    def action_complete(self) -> None:
        offered = completed(self.value, self._variant)
        if offered is not None and self.cursor_position >= len(self.value):
            self.value = offered
            self.cursor_position = len(offered)
        else:
            self.screen.focus_next()
