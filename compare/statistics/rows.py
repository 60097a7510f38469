"""Scores of repeats as one number per row: a row with its repeats is one observation, not several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .figures import Table

Numbers = NDArray[np.float64]
DIGITS = 12
"""Means are rounded to so many decimals: scores that should tie do, whatever their last bits."""

CELLS = 2_000_000
"""The most random numbers drawn at once, for memory."""


@dataclass(frozen=True)
class Pairs:
    """Two variants over the same rows, in the order of the rows.

    `differences` are the variant's mean less the baseline's, -1 to 1, and nan where either has no
    score. `pass_fail` is True if every row was scored once in both, with 0 or 1.
    """

    differences: Numbers
    pass_fail: bool

    def first(self, count: int) -> Pairs:
        """The first `count` rows."""
        return Pairs(self.differences[:count], self.pass_fail)

    @property
    def scored(self) -> Numbers:
        return self.differences[~np.isnan(self.differences)]


def row_means(table: Table) -> Numbers:
    """The mean of each row, nan for a row without scores. Raises ValueError outside 0 to 1."""
    return np.array([_mean(row) for row in table], dtype=np.float64)


def _mean(row: Sequence[float]) -> float:
    if not all(0 <= score <= 1 for score in row):
        raise ValueError(f"scores are from 0 to 1, not {list(row)}")
    return round(math.fsum(row) / len(row), DIGITS) if row else math.nan


def is_pass_fail(table: Table) -> bool:
    """Whether each row that has a score has one, and that is 0 or 1."""
    return all(len(row) < 2 and all(score in (0, 1) for score in row) for row in table)


def pair(variant: Table, baseline: Table) -> Pairs:
    """Row i of both tables is the same row. Raises ValueError for tables of different lengths."""
    if len(variant) != len(baseline):
        raise ValueError(f"{len(variant)} rows cannot be paired with {len(baseline)}")
    return Pairs(
        np.round(row_means(variant) - row_means(baseline), DIGITS),
        is_pass_fail(variant) and is_pass_fail(baseline),
    )


def tally(differences: Numbers) -> tuple[int, int, int]:
    """How many of the differences are above, below and equal to 0."""
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return wins, losses, len(differences) - wins - losses
