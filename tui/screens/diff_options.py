"""How outputs are compared: by what, what is no difference, and how the panes go along."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ..dialog_keys import DIFF_OPTIONS_KEYS
from ..diffing import UNITS, Diffing, View
from .dialog import Dialog

Apply = Callable[[View, Diffing], None]

_UNITS = {
    "words": "what a reader sees",
    "characters": "letters inside changed words",
    "tokens": "what the model wrote, piece by piece",
    "lines": "for lists, tables and code",
}
_SWITCHES = {
    "unified": ("one text", "removed in place, then what was added"),
    "case": ("ignore case", "Dog is dog"),
    "space": ("ignore white space", "line ends and indents are only spaces"),
    "fold": ("fold equal parts", "[⋯ 14 equal words]"),
    "together": ("scroll together", "the same difference at the same height"),
}


class DiffOptions(Dialog[None]):
    """Each choice is applied at once, so that what comes of it is seen behind the dialog."""

    DEFAULT_CSS = """
    DiffOptions {
        align: center top;
        background: transparent;
        #dialog { width: 70; }
        #dialog OptionList { margin-top: 0; }
    }
    """
    TITLE_TEXT = "Differences"
    KEYS_TEXT = "↑↓ move · {diff_options.choose} or enter choose · {dialog.cancel} done"
    BINDINGS: ClassVar[list[BindingType]] = [*DIFF_OPTIONS_KEYS]

    def __init__(self, view: View, diffing: Diffing, apply: Apply) -> None:
        super().__init__()
        self._view: View = view
        self._diffing = diffing
        self._apply = apply

    def body(self) -> Iterable[Widget]:
        options: list[Option | None] = [Option("", id=unit) for unit in UNITS]
        yield OptionList(*options, None, *(Option("", id=key) for key in _SWITCHES), compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._show()

    def _show(self) -> None:
        choices = self.query_one(OptionList)
        now = self._view if self._view in UNITS else self._diffing.unit
        for unit in UNITS:
            chosen = "(•)" if unit == now else "( )"
            choices.replace_option_prompt(unit, _line(chosen, unit, _UNITS[unit]))
        for key, (name, about) in _SWITCHES.items():
            mark = "[x]" if self._is_on(key) else "[ ]"
            choices.replace_option_prompt(key, _line(mark, name, about))

    def _is_on(self, key: str) -> bool:
        diffing = self._diffing
        return {
            "unified": self._view == "unified",
            "case": diffing.ignore.case,
            "space": diffing.ignore.space,
            "fold": diffing.fold,
            "together": diffing.together,
        }[key]

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        diffing = self._diffing
        match event.option_id:
            case "unified":
                self._view = diffing.unit if self._view == "unified" else "unified"
            case "case" | "space" as key:
                ignore = replace(diffing.ignore, **{key: not self._is_on(key)})
                self._diffing = replace(diffing, ignore=ignore)
            case "fold" | "together" as key:
                self._diffing = replace(diffing, **{key: not self._is_on(key)})
            case unit:
                for name in UNITS:
                    if name == unit:
                        self._diffing = replace(diffing, unit=name)
                        self._view = self._view if self._view == "unified" else name
        self._show()
        self._apply(self._view, self._diffing)

    def action_choose(self) -> None:
        self.query_one(OptionList).action_select()


def _line(mark: str, name: str, about: str) -> Content:
    return Content.assemble((f"{mark} ", "$accent"), f"{name:<20}", (about, "$dim"))
