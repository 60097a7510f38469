"""How an adapter is trained: every setting, its default, and what values it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import msgspec

from ..errors import ModelError

Method = Literal["sft", "dpo"]
Schedule = Literal["linear", "cosine", "constant"]
Precision = Literal["auto", "f32", "bf16"]

ALL_LINEAR = "all-linear"
_WIDE, _RATE_THERE, _DPO_SHARE = 4096, 2e-4, 0.1
_LOOKS = 10
"""Validations, and checkpoints, in a training that does not say how many."""


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """What a training does. Zero stands for llamadiff's choice where that is said.

    Raises ModelError, one sentence, for a value that cannot be.
    """

    method: Method = "sft"
    """sft learns the marked tokens of rows; dpo learns to prefer one answer to another."""
    rank: int = 16
    alpha: float = 32.0
    """The adapter's effect is scaled by alpha / rank, with rslora by alpha / √rank."""
    targets: tuple[str, ...] = (ALL_LINEAR,)
    """Names of the modules to adapt, as q_proj; all-linear is every linear layer but the output."""
    dropout: float = 0.0
    rslora: bool = False
    learning_rate: float = 0.0
    """The highest one; 0 is by the model's width, see `complete`."""
    schedule: Schedule = "linear"
    """How the rate falls to zero after the warm-up; constant does not fall."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises."""
    epochs: float = 5.0
    """How often all rows are gone through."""
    steps: int = 0
    """Steps of the optimizer; 0 is as many as the epochs take."""
    batch: int = 8
    """Rows computed at once."""
    accumulation: int = 1
    """Batches to one step of the optimizer."""
    sequence_length: int = 1024
    """The longest row, in tokens."""
    packing: bool = False
    """Lay the rows of a batch end to end, up to the sequence length, instead of padding them."""
    precision: Precision = "auto"
    """Of the base's weights and the arithmetic; the adapter's are always float32."""
    gradient_checkpointing: bool = False
    """Compute activations again instead of keeping them: less memory, more time."""
    processes: int = 0
    """That train together, each its share of every batch; 0 is one for each GPU."""
    seed: int = 0
    eval_every: int = 0
    """Steps from one validation to the next; 0 is a tenth of them all."""
    checkpoint_every: int = 0
    """Steps from one checkpoint to the next; 0 is a tenth of them all."""
    patience: int = 0
    """Validations without a lower loss after which training ends; 0 is never."""
    beta: float = 0.1
    """dpo: how strongly the adapter is held to the base."""

    def __post_init__(self) -> None:
        for name, most in _WHOLE.items():
            value = getattr(self, name)
            least = 0 if name in _FROM_ZERO else 1
            if not least <= value <= most:
                raise ModelError(
                    f"{name} is {value}; give a whole number from {least} to {most:,}."
                )
        for name, (least, most) in _NUMBERS.items():
            value = getattr(self, name)
            if not least <= value <= most or (name in _ABOVE_ZERO and value == 0):
                above = "above 0" if name in _ABOVE_ZERO else f"from {least:g}"
                raise ModelError(f"{name} is {value:g}; give a number {above} to {most:g}.")
        if not self.targets or not all(self.targets):
            raise ModelError(f"targets is empty; give names of modules, or {ALL_LINEAR}.")

    def step_count(self, n_rows: int) -> int:
        """Steps that a training on so many rows takes."""
        return self.steps or max(1, round(self.epochs * self.steps_per_epoch(n_rows)))

    def steps_per_epoch(self, n_rows: int) -> int:
        """Steps in which all rows are gone through once; the last one may have fewer rows."""
        return max(1, math.ceil(n_rows / self.rows_per_step))

    @property
    def rows_per_step(self) -> int:
        """Rows that one step of the optimizer learns from."""
        return self.batch * self.accumulation

    def complete(self, width: int, n_rows: int) -> TuningSettings:
        """These settings with llamadiff's choices put in, for a base of `width` and so many rows.

        The learning rate is 2e-4 where the embedding is 4,096 wide and larger for narrower models,
        by the 0.8th power of the width; for dpo a tenth of that.
        """
        rate = _RATE_THERE * (_WIDE / width) ** 0.8 * (_DPO_SHARE if self.method == "dpo" else 1)
        steps = self.step_count(n_rows)
        every = max(1, math.ceil(steps / _LOOKS))
        return replace(
            self,
            learning_rate=self.learning_rate or float(f"{rate:.2g}"),
            steps=steps,
            eval_every=self.eval_every or every,
            checkpoint_every=self.checkpoint_every or every,
        )

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0, of complete settings."""
        warm = round(self.warmup * self.steps)
        if step < warm:
            return self.learning_rate * (step + 1) / (warm + 1)
        done = (step - warm) / max(1, self.steps - warm)
        match self.schedule:
            case "constant":
                share = 1.0
            case "linear":
                share = 1 - done
            case "cosine":
                share = (1 + math.cos(math.pi * done)) / 2
        return self.learning_rate * share

    def lines(self) -> tuple[str, ...]:
        """Each setting as `name=value`."""
        return tuple(f"{field.name}={_text(getattr(self, field.name))}" for field in fields(self))


_WHOLE: Mapping[str, int] = {
    "rank": 1024,
    "steps": 10_000_000,
    "batch": 4096,
    "accumulation": 4096,
    "sequence_length": 1 << 20,
    "processes": 1024,
    "seed": (1 << 31) - 1,
    "eval_every": 10_000_000,
    "checkpoint_every": 10_000_000,
    "patience": 10_000,
}
_FROM_ZERO = frozenset({"steps", "processes", "seed", "eval_every", "checkpoint_every", "patience"})
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "alpha": (0.0, 1e4),
    "dropout": (0.0, 0.9),
    "learning_rate": (0.0, 10.0),
    "warmup": (0.0, 1.0),
    "epochs": (0.0, 1e4),
    "beta": (0.0, 100.0),
}
_ABOVE_ZERO = frozenset({"alpha", "epochs", "beta"})


def parse_settings(texts: Mapping[str, str]) -> TuningSettings:
    """Settings as a person writes them, by name; targets are separated by commas.

    Raises ModelError for a name that there is not, and a value that cannot be.
    """
    names = {field.name for field in fields(TuningSettings)}
    for name in texts:
        if name not in names:
            raise ModelError(
                f"{name} is no setting of tuning; there are {', '.join(sorted(names))}."
            )
    values: dict[str, object] = dict(texts)
    if "targets" in texts:
        values["targets"] = [part.strip() for part in texts["targets"].split(",")]
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, TuningSettings, strict=False)
        except msgspec.ValidationError as error:
            said = str(error).partition(" - at ")[0]
            raise ModelError(f"{name} is {texts[name]}: {said[0].lower()}{said[1:]}.") from None
    return msgspec.convert(values, TuningSettings, strict=False)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
