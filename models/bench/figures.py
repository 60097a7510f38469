"""What a measurement comes to: medians with least and largest, and ratios of pairs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

Unit = Literal["tokens/s", "ms", "bytes"]


class Spread(msgspec.Struct, frozen=True):
    """The middle and the ends of one figure over all rounds."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """As a ratio is read."""
        return f"{self.median:.3f} ({self.min:.3f}–{self.max:.3f})"


class Figure(msgspec.Struct, frozen=True):
    """One figure, and what it is set against.

    `ratio` and `difference` are of pairs measured one after the other, value / reference and
    value - reference; they and `reference` are null when the figure stands alone.
    """

    title: str
    unit: Unit
    value: Spread
    against: str | None = None
    reference: Spread | None = None
    ratio: Spread | None = None
    difference: Spread | None = None
    rounds: int = 1


def alone(title: str, unit: Unit, values: Sequence[float]) -> Figure:
    """A figure without a reference."""
    return Figure(title, unit, Spread.of(values), rounds=len(values))


def paired(title: str, unit: Unit, against: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    """A figure from (value, reference) of each round."""
    return Figure(
        title,
        unit,
        Spread.of([value for value, _ in pairs]),
        against,
        Spread.of([reference for _, reference in pairs]),
        Spread.of([value / reference for value, reference in pairs]),
        Spread.of([value - reference for value, reference in pairs]),
        len(pairs),
    )
