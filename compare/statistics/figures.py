"""The figures that the statistics give, and the tables of scores they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

Table = Sequence[Sequence[float]]
"""One variant's scores, 0 to 1: one sequence per row of the dataset with one score per repeat.

A row without scores (all its repeats failed to run) is an empty sequence, and is left out.
"""

LEVEL = 0.95
MARGIN = 0.05
"""Differences of the mean score within this do not matter."""


@dataclass(frozen=True)
class Interval:
    """Both ends belong to it; `level` is the share of such intervals that hold the true value."""

    low: float
    high: float
    level: float = LEVEL

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def within(self, margin: float) -> bool:
        """Whether all of it lies between -margin and margin."""
        return -margin <= self.low and self.high <= margin


@dataclass(frozen=True)
class Planned:
    """Rows that were settled for a comparison before the first of them was looked at.

    `rows` are their places in the tables compared; `to_come` of them are still to be run, and
    `gone` no longer are in the dataset.
    """

    rows: Sequence[int]
    to_come: int = 0
    gone: int = 0

    @classmethod
    def first(cls, count: int, rows: int) -> Planned:
        """The first `count`, of which so many `rows` are there as there are."""
        return cls(range(min(count, rows)), max(0, count - rows))

    @property
    def count(self) -> int:
        return len(self.rows) + self.to_come + self.gone


@dataclass(frozen=True)
class Estimate:
    """A mean of `rows` rows, 0 to 1; 0 rows have the mean 0 and the interval from 0 to 1."""

    mean: float
    interval: Interval
    rows: int
    method: str


@dataclass(frozen=True)
class Difference:
    """A variant's mean score less the baseline's over the same rows, from -1 to 1.

    `p` is at most 1 - interval.level exactly where the interval leaves 0 out. `wins` and `losses`
    count the variant's rows. `left_out` rows had no score under one of the two or under both; those
    of them that had one under the other are counted against whichever is ahead, in the interval
    and p alone.
    """

    mean: float
    interval: Interval
    p: float
    wins: int
    losses: int
    ties: int
    left_out: int
    method: str

    @property
    def rows(self) -> int:
        return self.wins + self.losses + self.ties


def z_value(tail: float) -> float:
    """The standard normal's quantile that leaves `tail` above it."""
    return NormalDist().inv_cdf(1 - tail)
