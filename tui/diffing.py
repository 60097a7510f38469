"""How outputs are compared and shown: the view, its unit, and what a person chose with `o`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..compare.diff.ignore import NOTHING, Ignore

if TYPE_CHECKING:
    from ..compare.diff.units import Mode

Unit = Literal["words", "characters", "tokens", "lines"]
View = Literal["off", "words", "characters", "tokens", "lines", "unified"]
UNITS: tuple[Unit, ...] = ("words", "characters", "tokens", "lines")
_MODES: dict[Unit, Mode] = {
    "words": "word", "characters": "char", "tokens": "token", "lines": "line",
}  # fmt: skip


@dataclass(frozen=True)
class Diffing:
    """What a person chose: the unit of the marked and the unified view, what is no difference,
    whether panes scroll together, and whether equal parts are folded."""

    unit: Unit = "words"
    ignore: Ignore = NOTHING
    together: bool = False
    fold: bool = False

    def mode(self, view: View) -> Mode:
        """What is compared in a view; without one, words are counted."""
        if view == "off":
            return "word"
        return _MODES[self.unit if view == "unified" else view]

    def after(self, view: View) -> View:
        """The view that follows: off, the unit, tokens, unified."""
        views: list[View] = ["off", *dict.fromkeys([self.unit, "tokens"]), "unified"]
        return views[(views.index(view) + 1) % len(views)] if view in views else "unified"


def view_name(view: View) -> str:
    """What a view is called."""
    return "one text" if view == "unified" else view


def unit_name(mode: Mode) -> Unit:
    """What the units of a mode are called."""
    return next(unit for unit, its in _MODES.items() if its == mode)
