"""Simulated comparisons of graded scores: the means of repeats, and skewed differences."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from benchmarks.looks import LOOKS
from benchmarks.shares import Flags, Share, ever, share
from llamadiff.compare.statistics.anytime import log_money, p_value
from llamadiff.compare.statistics.figures import MARGIN
from llamadiff.compare.statistics.rows import Numbers
from llamadiff.compare.statistics.verdict import ALPHA

REPEATS = 3
BEYOND = 0.055
"""A difference that matters by a little."""


def scores(rng: np.random.Generator, chances: Numbers) -> NDArray[np.int64]:
    """Passes of the repeats of each row."""
    return rng.binomial(REPEATS, chances)


def score_counts(differences: NDArray[np.int64], looks: int) -> tuple[Numbers, Numbers]:
    """The differences of mean scores that can be, and how many of each at each look."""
    kinds = np.arange(-REPEATS, REPEATS + 1)
    counts = np.stack([at_looks(differences == kind, looks) for kind in kinds], axis=-1)
    return kinds / REPEATS, counts


def at_looks(flags: Flags, looks: int) -> Numbers:
    """How many of the rows so far, at each of `looks` looks: simulations by looks."""
    ends = np.linspace(0, flags.shape[1], looks + 1).round().astype(int)[1:]
    return flags.cumsum(axis=1)[:, ends - 1].astype(np.float64)


def scores_false(rng: np.random.Generator, chances: Numbers) -> Flags:
    differences = scores(rng, chances) - scores(rng, chances)
    return ever(p_value(*score_counts(differences, 2 * LOOKS)))


def scores_tested(rng: np.random.Generator, chances: Numbers) -> Flags:
    differences = scores(rng, chances) - scores(rng, chances)
    return t_test(*score_counts(differences, 1))[:, -1] <= ALPHA


def t_test(values: Numbers, counts: Numbers) -> Numbers:
    """Student's p-values of no difference, for comparison: they do not hold for every spread."""
    rows = counts.sum(axis=-1)
    mean = counts @ values / rows
    variance = np.maximum(counts @ values**2 / rows - mean**2, 0) * rows / (rows - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / np.sqrt(variance / rows)
    return 2 * student_t.sf(np.nan_to_num(t, nan=0.0), rows - 1)


def skewed(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """Graded scores where many rows change a little and a share `rate` is lost altogether."""
    lost = rng.random((sims, 2 * rows)) < rate
    counts = np.stack([at_looks(lost, 2 * LOOKS), at_looks(~lost, 2 * LOOKS)], axis=-1)
    at_planned = counts[:, [LOOKS - 1]]
    even = np.array([-1.0, rate / (1 - rate)])
    worse = np.array([-1.0, (rate - BEYOND) / (1 - rate)])
    true = float(worse @ [rate, 1 - rate])
    low, high = (log_money(values, counts, -MARGIN) for values in (worse, -worse))
    found = {
        "equal: called better, t test, 1 look": t_test(even, at_planned)[:, 0] <= ALPHA,
        "equal: called better, betting, 20 looks": ever(p_value(even, counts)),
        "worse by 5.5 points: called the same, betting, 20 looks": (
            np.minimum(low, high) >= math.log(2 / ALPHA)
        ).any(axis=1),
        "interval misses the truth, betting, 20 looks": ever(p_value(worse, counts, true)),
    }
    return {name: share(flags) for name, flags in found.items()}
