"""What a person chooses to have trained, before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..compare.errors import CompareError
from ..compare.tuning.plan import SETTINGS, TuningPlan, check_settings
from ..models.tuning.settings import TuningSettings

if TYPE_CHECKING:
    from ..prompts.document import Prompt

OWN_LINES = ("epochs", "rank", "learning_rate")
"""The settings that have a line each; others are typed on one."""
TITLES: Mapping[str, str] = {
    "data": "rows",
    "prompt": "prompt",
    "suites": "not to be learned",
    "name": "adapter",
    "counts": "how many rows",
    "epochs": "epochs",
    "rank": "rank",
    "learning_rate": "learning rate",
    "others": "other settings",
}
"""What can be chosen, and what it is called."""
MEANS: Mapping[str, str] = {
    "name": "letters, digits, dashes; empty: after the rows",
    "counts": "as 25,50,100: an adapter for each; empty: one for all rows",
    "epochs": "how often all rows are gone through",
    "rank": "the adapter's size",
    "learning_rate": "the highest; empty: by the model's width",
    "others": "as batch=4 seed=1 validation=0.2",
}
"""What is typed on some of its lines."""


@dataclass(frozen=True)
class Heading:
    """A line above others."""

    text: str


@dataclass(frozen=True)
class Field:
    """Something to choose. `own`: a person chose it."""

    key: str
    value: str
    own: bool

    @property
    def title(self) -> str:
        return TITLES[self.key]


@dataclass(frozen=True)
class TuneForm:
    """`base` is the GGUF file to train on, `folder` where the adapter goes. Texts are as typed; what
    is empty is llamadiff's choice. `data_name` is what the rows are called."""

    base: Path
    base_name: str
    folder: Path
    data: Path | None = None
    data_name: str = ""
    prompt: Prompt | None = None
    suites: tuple[Path, ...] = ()
    name: str = ""
    counts: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    touched: frozenset[str] = frozenset()
    """What a person chose, by the keys of its lines."""

    def chosen(self, key: str, **values: object) -> TuneForm:
        """With what a person chose on a line."""
        return replace(self, **values, touched=self.touched | {key})  # pyright: ignore[reportArgumentType]

    def typed(self, key: str, text: str) -> TuneForm:
        """With what a person typed on a line. Raises what a person is told."""
        text = text.strip()
        if key == "name":
            _check_name(text)
            return self.chosen(key, name=text)
        if key == "counts":
            counts_of(text)
            return self.chosen(key, counts=text)
        if key in OWN_LINES:
            settings = {name: value for name, value in self.settings.items() if name != key}
            settings |= {key: text} if text else {}
        else:
            settings = {name: self.settings[name] for name in OWN_LINES if name in self.settings}
            settings |= _pairs(text)
        check_settings(settings)
        return self.chosen(key, settings=settings)

    def text_of(self, key: str) -> str:
        """What is typed on a line."""
        if key in ("name", "counts"):
            return self.name if key == "name" else self.counts
        return self.settings.get(key, "") if key in OWN_LINES else self.others

    @property
    def others(self) -> str:
        """The settings without a line of their own."""
        return " ".join(f"{name}={it}" for name, it in self.settings.items() if name not in OWN_LINES)  # fmt: skip

    @property
    def out(self) -> Path:
        """The adapter to be written: of the name typed, else of one that no file has. Reads a folder."""
        if self.name:
            return self.folder / f"{self.name}.gguf"
        stem = Path(self.data_name).stem.replace("/", "-") or "adapter"
        number = next(n for n in range(1, 10**6) if not (self.folder / f"{stem}-{n}.gguf").exists())
        return self.folder / f"{stem}-{number}.gguf"

    def plan(self) -> TuningPlan:
        """What is to be trained. Raises what a person is told."""
        if self.data is None:
            raise CompareError("Choose the rows to learn from first: press {tune.change} on rows.")
        return TuningPlan(
            base=self.base,
            data=self.data,
            out=self.out,
            prompt=self.prompt,
            suites=self.suites,
            rows=counts_of(self.counts),
            settings=self.settings,
        )


def counts_of(text: str) -> tuple[int, ...]:
    """Numbers of rows, apart by commas, in ascending order; none for all. Raises CompareError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise CompareError(f"{text!r} is no list of numbers; type one such as 25,50,100.")
    return tuple(sorted({int(part) for part in parts}))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not equals:
            raise CompareError(f"{part!r} is no setting; type them as batch=4 seed=1.")
        found[name] = value
    own = next((name for name in found if name in OWN_LINES), None)
    if own is not None:
        raise CompareError(f"{TITLES[own]} has a line of its own.")
    return found


def _check_name(name: str) -> None:
    if "/" in name or name.startswith(".") or not name.isprintable():
        raise CompareError(f"{name!r} cannot be a file's name; type letters, digits and dashes.")


OTHER_SETTINGS = tuple(it for it in SETTINGS if it not in OWN_LINES)
"""The names of settings that are typed on one line."""


def shown(form: TuneForm, key: str, rate: float | None) -> str:
    """What stands on a line; `rate` is the learning rate by the base's width, where it is known."""
    match key:
        case "data":
            return form.data_name or "choose"
        case "prompt":
            return form.prompt.name if form.prompt else "none, as the rows ask"
        case "suites":
            if "suites" not in form.touched:
                return f"{len(form.suites)} suites that ship"
            return ", ".join(path.stem for path in form.suites) or "no suite"
        case "name":
            return form.out.stem
        case "counts":
            return form.counts or "all"
        case "others":
            return form.others or "as they are"
        case _:
            return form.settings.get(key) or _default(key, rate)


def _default(key: str, rate: float | None) -> str:
    if key == "learning_rate":
        return "by the width" if rate is None else f"{rate:g}, by the width"
    return f"{getattr(TuningSettings(), key):g}"
