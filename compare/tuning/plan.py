"""What is to be trained: the base, the rows and the prompt they are put to, the settings, the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from ...models.tuning.settings import TuningSettings, parse_settings
from ...prompts.document import Prompt
from ...prompts.suggest import did_you_mean
from ..errors import CompareError
from ..history.content import canonical, restored
from ..training_data.settings import DataSettings, parse_data_settings

_OF_DATA = tuple(it.name for it in fields(DataSettings))
_OF_TRAINING = tuple(it.name for it in fields(TuningSettings))
SETTINGS = tuple(dict.fromkeys((*_OF_TRAINING, *_OF_DATA)))
"""The names of all settings, of the training and of the data."""


@dataclass(frozen=True)
class PlannedAdapter:
    """One adapter of a plan: the file it is written to, and how many examples it is trained on (None
    for all that are not held out)."""

    out: Path
    rows: int | None = None

    @property
    def name(self) -> str:
        return self.out.stem


@dataclass(frozen=True, kw_only=True)
class TuningPlan:
    """What is to be trained. Paths are absolute; `base` is a GGUF file, `data` a dataset.

    With a `prompt` the columns of the data are its variables. Rows of `suites`, and of those that are
    `evaluated` afterwards, must not be learned. `rows` are numbers of examples, ascending, each of
    which gives an adapter. `settings` are as a person writes them, by name; `weights` is the Hugging
    Face folder to train on instead of the base's file. `threads` 0 is llamadiff's choice.

    Raises CompareError or ModelError for a setting that there is not, and a value that cannot be.
    """

    base: Path
    data: Path
    out: Path
    prompt: Prompt | None = None
    suites: tuple[Path, ...] = ()
    evaluated: tuple[Path, ...] = ()
    rows: tuple[int, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    weights: Path | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        check_settings(self.settings)

    @cached_property
    def of_data(self) -> DataSettings:
        """The settings of the data."""
        return parse_data_settings(_only(self.settings, _OF_DATA))

    def of_training(self, *, preferences: bool) -> TuningSettings:
        """The settings of the training; what rows are decides the method that nobody named."""
        method = {"method": "dpo" if preferences else "sft"}
        return parse_settings({**method, **_only(self.settings, _OF_TRAINING)})

    @property
    def adapters(self) -> tuple[PlannedAdapter, ...]:
        """Those to be trained, in order. Where there are several, each is called by its rows."""
        if len(self.rows) < 2:
            return (PlannedAdapter(self.out, *self.rows),)
        return tuple(
            PlannedAdapter(self.out.with_name(f"{self.out.stem}.{count}{self.out.suffix}"), count)
            for count in self.rows
        )

    @property
    def held_out(self) -> tuple[Path, ...]:
        """The suites whose rows must not be learned, each once."""
        return tuple(dict.fromkeys((*self.suites, *self.evaluated)))

    def text(self) -> str:
        """It as JSON, for `read_plan`."""
        return json.dumps(
            {
                "base": str(self.base),
                "data": str(self.data),
                "out": str(self.out),
                "prompt": self.prompt and canonical(self.prompt).decode(),
                "suites": list(map(str, self.suites)),
                "evaluated": list(map(str, self.evaluated)),
                "rows": self.rows,
                "settings": dict(self.settings),
                "weights": self.weights and str(self.weights),
                "threads": self.threads,
            }
        )


def read_plan(text: str) -> TuningPlan:
    """The plan whose `text` this is. Raises CompareError for what is none."""
    try:
        it: dict[str, Any] = json.loads(text)
        return TuningPlan(
            base=Path(it["base"]),
            data=Path(it["data"]),
            out=Path(it["out"]),
            prompt=it["prompt"] and restored(it["prompt"].encode()),
            suites=tuple(map(Path, it["suites"])),
            evaluated=tuple(map(Path, it["evaluated"])),
            rows=tuple(it["rows"]),
            settings=it["settings"],
            weights=it["weights"] and Path(it["weights"]),
            threads=it["threads"],
        )
    except (KeyError, ValueError, TypeError) as error:
        raise CompareError(f"A plan of tuning cannot be read: {error!r}.") from None


def check_settings(texts: Mapping[str, str]) -> None:
    """Raises CompareError or ModelError for a setting that there is not, and a value that cannot be."""
    for name in texts:
        if name not in SETTINGS:
            hint = did_you_mean(name, SETTINGS) or f"; there are {', '.join(sorted(SETTINGS))}."
            raise CompareError(f"{name} is no setting of tuning{hint}")
    parse_data_settings(_only(texts, _OF_DATA))
    parse_settings(_only(texts, _OF_TRAINING))


def _only(texts: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name in names}
