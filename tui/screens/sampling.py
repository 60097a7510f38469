"""The sampling settings of one variant, each checked as it is typed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from ...compare.variants import Variant
from ...models.engine.protocol import Sampling
from ...models.engine.samplers import FIELDS, make_sampling, parse_value, steps
from ...models.errors import ModelError
from ..dialog_keys import SAMPLING_KEYS
from ..safe_text import safe_line
from ..widgets.safe_input import SafeInput
from .dialog import Dialog

Chosen = tuple[Mapping[str, object], int | None]


class SettingRow(Horizontal):
    """One setting: its name, its value, and what it does."""

    def __init__(self, key: str, value: str, default: str, help_text: str) -> None:
        super().__init__()
        self.key = key
        self._value, self._default, self._help = value, default, help_text

    def compose(self) -> ComposeResult:
        yield Static(self.key, classes="setting-name", markup=False)
        yield SafeInput(self._value, placeholder=safe_line(self._default), compact=True)
        yield Static(self._help, classes="setting-help", markup=False)

    @property
    def text(self) -> str:
        return self.query_one(Input).value.strip()


class SamplingDialog(Dialog[Chosen]):
    """Gives the variant's own settings, and the seed that all variants share."""

    KEYS_TEXT = (
        "{sampling.up}{sampling.down} or tab move · empty is the default shown · enter done"
        " · {dialog.cancel} cancel"
    )
    MOST_LINES = 24
    BINDINGS: ClassVar[list[BindingType]] = [*SAMPLING_KEYS]
    DEFAULT_CSS = """
    SamplingDialog {
        #dialog { width: 104; }
        VerticalScroll { height: auto; }
        SettingRow { height: 1; }
        .setting-name { width: 20; }
        SettingRow Input { width: 14; }
        SettingRow Input.-wrong { color: $error; text-style: underline; }
        #steps { color: $dim; margin: 1 0 0 0; }
        .setting-help {
            width: 1fr;
            padding: 0 0 0 2;
            color: $dim;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, variant: Variant, seed: int | None) -> None:
        super().__init__()
        self._variant = variant
        self._seed = seed

    def title_text(self) -> str:
        return f"Sampling of {self._variant.name}, {safe_line(self._variant.title)}"

    def body(self) -> Iterable[Widget]:
        own, prompts = self._variant.sampling, self._variant.prompt.sampling
        defaults = Sampling()
        rows: list[SettingRow] = []
        for key, field in FIELDS.items():
            default = prompts.get(key, getattr(defaults, key))
            value, help_text = own.get(key, ""), field.help
            if key == "seed":
                value = "" if self._seed is None else self._seed
                help_text = "for every variant; the same seed gives the same output"
            rows.append(SettingRow(key, str(value), str(default), help_text))
        order, default = own.get("samplers", ""), prompts.get("samplers", defaults.samplers)
        rows.append(SettingRow("samplers", _words(order), _words(default), "order of the filters"))
        yield VerticalScroll(*rows, can_focus=False, classes="dialog-scroll")
        yield Static(id="steps", markup=False)

    def on_mount(self) -> None:
        self.query(Input).first().focus()
        self._show_steps()

    def _show_steps(self) -> None:
        """What will happen to each token's logits, in order, with the settings as typed."""
        output = self._variant.prompt.output
        constrained = output.grammar is not None or output.schema is not None
        sampling = make_sampling(self._variant.prompt.sampling, self._given_others(), self._read())
        said = " → ".join(steps(sampling, constrained=constrained))
        self.query_one("#steps", Static).update(f"runs: {said}")

    def _given_others(self) -> dict[str, object]:
        """The variant's own settings that have no row here."""
        return {k: v for k, v in self._variant.sampling.items() if k not in (*FIELDS, "samplers")}

    def _read(self) -> dict[str, object]:
        """Every setting that is given. Raises ModelError for the first that is wrong."""
        given = {row.key: row.text for row in self.query(SettingRow) if row.text}
        return {key: parse_value(key, text) for key, text in given.items()}

    @on(Input.Changed)
    def _check(self, event: Input.Changed) -> None:
        row = event.input.parent
        if not isinstance(row, SettingRow):
            return
        try:
            if row.text:
                parse_value(row.key, row.text)
        except ModelError as error:
            event.input.add_class("-wrong")
            self.problem(str(error))
        else:
            event.input.remove_class("-wrong")
            self.problem("")
            with contextlib.suppress(ModelError):  # another row is wrong, and says so
                self._show_steps()

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        try:
            settings = self._read()
        except ModelError as error:
            self.problem(str(error))
            return
        seed = settings.pop("seed", None)
        kept = self._given_others()
        if "seed" in self._variant.sampling:
            kept["seed"] = self._variant.sampling["seed"]
        self.dismiss(({**kept, **settings}, seed if isinstance(seed, int) else None))


def _words(samplers: object) -> str:
    """An order as it is typed: names with spaces between them."""
    return samplers if isinstance(samplers, str) else " ".join(cast(Iterable[str], samplers))
