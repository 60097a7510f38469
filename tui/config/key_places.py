"""Which bindings are there together, so that their keys must not meet, and where one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding
from textual.widgets import Input, TextArea

from .. import dialog_keys as d
from .. import keys as k


@dataclass(frozen=True)
class Place:
    """Bindings that are there together.

    `typing` says whether there is a text field: `always` where the cursor is in one, so that no
    character gets to a binding, `sometimes` where only bindings that have priority would take
    characters away from it. `fields` are those that the cursor is always in without any of the
    bindings being theirs: what a field does with a key comes before what is around it.
    """

    bindings: Sequence[Binding]
    typing: Literal["never", "sometimes", "always"] = "never"
    fields: Sequence[type[Input | TextArea]] = ()

    def types(self, binding: Binding) -> bool:
        """Whether a character that is the key of one of its bindings is typed here."""
        return self.typing == "always" or (self.typing == "sometimes" and binding.priority)

    def keeps(self, binding: Binding, key: str) -> bool:
        """Whether a key of one of its bindings never gets there from the field."""
        return not binding.priority and any(key in _keys_of(field) for field in self.fields)


def _keys_of(field: type[Input | TextArea]) -> set[str]:
    """What a field does something with, besides characters."""
    bound = (it.key.split(",") for it in field.BINDINGS if isinstance(it, Binding))
    return {key for keys in bound for key in keys} | {"enter"}


_LINE = [Input]
_PANES = [*k.PANE_KEYS, *k.UNZOOM_KEYS]

EVERYWHERE = "everywhere"
PLACES: Mapping[str, Place] = {
    EVERYWHERE: Place(k.APP_KEYS, "sometimes"),
    "playground": Place([*k.PLAYGROUND_KEYS, *_PANES], "sometimes"),
    "variants": Place(d.VARIANT_LIST_KEYS),
    "prompt's text": Place([*k.TEXT_KEYS, *k.EDITOR_KEYS], "always"),
    "rendered prompt": Place(k.RENDERED_KEYS),
    "tabs": Place(d.TABS_KEYS),
    "reply": Place([*k.TEXT_KEYS, *k.REPLY_KEYS], "always"),
    "versions": Place([*k.VERSION_KEYS, *_PANES]),
    "library": Place([*k.SEARCHED_KEYS, *k.LIBRARY_KEYS, *_PANES], "always", _LINE),
    "history": Place([*k.HISTORY_KEYS, *_PANES], "sometimes"),
    "history's search": Place(k.SEARCH_KEYS, "always"),
    "comparing": Place([*k.COMPARE_KEYS, *_PANES]),
    "rating": Place(k.RATE_KEYS),
    "lens": Place([*k.LENS_SCREEN_KEYS, *_PANES]),
    "lens, text": Place(k.HEAT_KEYS),
    "lens, instead": Place(k.ALTERNATIVE_KEYS),
    "sweep": Place([*k.SWEEP_SCREEN_KEYS, *_PANES], "sometimes"),
    "sweep's field": Place(d.SWEEP_FIELD_KEYS, "always"),
    "sweep's values": Place([*d.VALUES_KEYS, *d.LINES_KEYS]),
    "evaluate": Place([*k.SEARCHED_KEYS, *k.EVALUATE_KEYS, *_PANES], "always", _LINE),
    "evaluation": Place([*k.EVALUATION_KEYS, *_PANES], "sometimes"),
    "rows": Place([*d.ROWS_KEYS, *d.LINES_KEYS]),
    "row": Place([*k.ROW_KEYS, *_PANES]),
    "tune": Place([*k.TUNE_KEYS, *_PANES]),
    "training": Place([*k.TRAINING_KEYS, *_PANES]),
    "lists": Place(d.LINES_KEYS),
    "help": Place(d.HELP_KEYS),
    "jump mode": Place(d.JUMP_KEYS, "always"),
    "dialogs": Place(d.DIALOG_KEYS, "always", _LINE),
    "questions": Place([*d.CONFIRM_KEYS, *d.SEE_KEYS, *d.DIALOG_KEYS]),
    "settings": Place([*d.SETTINGS_KEYS, *d.DIALOG_KEYS]),
    "choosing": Place([*d.PICKER_KEYS, *d.DIALOG_KEYS], "always", _LINE),
    "adapters": Place([*d.ADAPTERS_KEYS, *d.PICKER_KEYS, *d.DIALOG_KEYS], "always", _LINE),
    "adapters' list": Place(d.TICKED_KEYS, "always"),
    "suites": Place([*d.SUITES_KEYS, *d.PICKER_KEYS, *d.DIALOG_KEYS], "always", _LINE),
    "examples": Place([*d.EXAMPLES_KEYS, *d.DIALOG_KEYS], "sometimes"),
    "prompt's names": Place([*d.NAME_KEYS, *d.DIALOG_KEYS], "always", _LINE),
    "sampling": Place([*d.SAMPLING_KEYS, *d.DIALOG_KEYS], "always", _LINE),
    "diff options": Place([*d.DIFF_OPTIONS_KEYS, *d.DIALOG_KEYS]),
    "noise floor": Place([*d.NOISE_KEYS, *d.DIALOG_KEYS]),
    "rating's text": Place([*d.RATE_TEXT_KEYS, *d.DIALOG_KEYS], "always", [TextArea]),
    "lens's text": Place([*d.LENS_TEXT_KEYS, *d.DIALOG_KEYS], "always", [TextArea, Input]),
    "both changed": Place([*d.BOTH_KEYS, *d.DIALOG_KEYS]),
}
"""What has the focus may use a key of its screen for itself."""
