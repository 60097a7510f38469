"""The noise floor: how far a variant is from itself when it is run again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .figures import LEVEL, Interval, Table, z_value


@dataclass(frozen=True)
class NoiseFloor:
    """A against A, to stand beside a difference of mean scores over the same rows.

    `interval` holds a share `level` of the differences between two runs of the same variant;
    `changing` is the mean share of rows whose score differs between two single answers; `rows` are
    those with two repeats or more, from which both come. Without such rows: -1 to 1, and 0.

    Unlike a difference's interval it says nothing of other rows, only of other seeds.
    """

    interval: Interval
    changing: float
    rows: int


def noise_floor(table: Table, repeats: int, level: float = LEVEL) -> NoiseFloor:
    """From one variant's repeats, for a comparison in which either side has `repeats` per row.

    The variance of the difference of two means over n rows is the sum of 2 s² / repeats over the
    rows, by n², with s² the variance within a row (n - 1 in the denominator). Normal: a mean over
    rows is nearly that from some tens of rows on.
    """
    repeated = [np.asarray(row, dtype=np.float64) for row in table if len(row) > 1]
    if not repeated:
        return NoiseFloor(Interval(-1.0, 1.0, level), 0.0, 0)
    variance = sum(2 * float(row.var(ddof=1)) / repeats for row in repeated)
    reach = min(1.0, z_value((1 - level) / 2) * math.sqrt(variance) / len(repeated))
    changing = sum(_differing(row.tolist()) for row in repeated) / len(repeated)
    return NoiseFloor(Interval(-reach, reach, level), changing, len(repeated))


def changing_rows(table: Table) -> Table:
    """Of each row with two repeats or more the share of pairs of repeats whose scores differ: what
    the mean `changing` is made from."""
    return [[_differing(list(row))] for row in table if len(row) > 1]


def _differing(scores: list[float]) -> float:
    """The share of pairs of repeats whose scores differ."""
    count = len(scores)
    same = sum(scores.count(score) for score in scores) - count
    return 1 - same / (count * (count - 1))
