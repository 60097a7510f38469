"""Scores of repeats as one number per row: a row with its repeats is one observation, not several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .figures import Table

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
DIGITS = 12
"""Means are rounded to so many decimals: scores that should tie do, whatever their last bits."""

CELLS = 2_000_000
"""The most random numbers drawn at once, for memory."""


@dataclass(frozen=True)
class Pairs:
    """Two variants over the same rows, in the order of the rows.

    `differences` are the variant's mean less the baseline's, -1 to 1, and nan where either has no
    score; `one_sided` is True where just one of the two has none. `plain` is True for a row that
    was scored at most once in both, with 0 or 1.
    """

    differences: Numbers
    plain: Flags
    one_sided: Flags

    @classmethod
    def of(cls, differences: Numbers, *, pass_fail: bool) -> Pairs:
        """Rows that are all scored."""
        count = len(differences)
        return cls(differences, np.full(count, pass_fail), np.zeros(count, dtype=np.bool_))

    def at(self, rows: Sequence[int]) -> Pairs:
        """These rows."""
        places = np.asarray(rows, dtype=np.intp)
        return Pairs(self.differences[places], self.plain[places], self.one_sided[places])

    def taking(self, unknown: float, further: int = 0) -> Pairs:
        """With `unknown` as the difference of each one-sided row and of so many `further` ones."""
        if not further and not self.one_sided.any():
            return self
        known = np.where(self.one_sided, unknown, self.differences)
        more = Pairs.of(np.full(further, unknown), pass_fail=True)
        return Pairs(
            np.append(known, more.differences),
            np.append(self.plain, more.plain),
            np.append(self.one_sided & False, more.one_sided),
        )

    @property
    def pass_fail(self) -> bool:
        """Whether every row was scored at most once in both, with 0 or 1."""
        return bool(self.plain.all())

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
    return all(map(_plain, table))


def _plain(row: Sequence[float]) -> bool:
    return len(row) < 2 and all(score in (0, 1) for score in row)


def pair(variant: Table, baseline: Table) -> Pairs:
    """Row i of both tables is the same row. Raises ValueError for tables of different lengths."""
    if len(variant) != len(baseline):
        raise ValueError(f"{len(variant)} rows cannot be paired with {len(baseline)}")
    ours, theirs = row_means(variant), row_means(baseline)
    both = zip(variant, baseline, strict=True)
    return Pairs(
        np.round(ours - theirs, DIGITS),
        np.array([_plain(a) and _plain(b) for a, b in both], dtype=np.bool_),
        np.isnan(ours) != np.isnan(theirs),
    )


def tally(differences: Numbers) -> tuple[int, int, int]:
    """How many of the differences are above, below and equal to 0."""
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return wins, losses, len(differences) - wins - losses
