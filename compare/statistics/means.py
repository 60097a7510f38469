"""Pass rates and mean scores of one variant, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from .figures import LEVEL, Estimate, Interval, Table, z_value
from .rows import CELLS, Numbers, is_pass_fail, row_means

RESAMPLES = 9_999


def wilson(passed: float, rows: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a rate: it holds 0 to 1 only, and has width at 0 % and 100 %.

    Wilson (1927), JASA 22, 209-212. `passed` may be a fraction: a sum of scores has at most the
    variance of as many passes, so its interval is then wider than need be.
    """
    if rows == 0:
        return Interval(0.0, 1.0, level)
    z2 = z_value((1 - level) / 2) ** 2
    rate = passed / rows
    middle = (rate + z2 / (2 * rows)) / (1 + z2 / rows)
    half = math.sqrt(z2 * (rate * (1 - rate) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    low = 0.0 if passed <= 0 else max(0.0, middle - half)
    high = 1.0 if passed >= rows else min(1.0, middle + half)
    return Interval(low, high, level)


def bootstrap(means: Numbers, level: float = LEVEL, seed: int = 0) -> Interval:
    """The BCa bootstrap interval of the mean of row means.

    BCa rather than percentile: scores pile up near 1, and it corrects for that skewness. Rows are
    resampled, never repeats. Efron (1987), JASA 82, 171-185; Efron and Tibshirani (1993), 14.3.
    Rows that are all equal, or one, say nothing of their spread: Wilson's interval then.
    """
    count = len(means)
    if count == 0 or means.min() == means.max():
        return wilson(float(means.sum()), count, level)
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS // count)
    resampled = np.concatenate(
        [
            means[rng.integers(0, count, (min(at_once, RESAMPLES - start), count))].mean(axis=1)
            for start in range(0, RESAMPLES, at_once)
        ]
    )
    normal = NormalDist()
    mean = means.mean()
    below = ((resampled < mean).mean() + (resampled <= mean).mean()) / 2
    bias = normal.inv_cdf(min(max(float(below), 1 / RESAMPLES), 1 - 1 / RESAMPLES))
    apart = means - mean
    skew = float((apart**3).sum() / (6 * (apart**2).sum() ** 1.5))
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + normal.inv_cdf(tail)
        ends.append(normal.cdf(bias + shifted / (1 - skew * shifted)))
    low, high = np.quantile(resampled, ends)
    return Interval(float(low), float(high), level)


def estimate(table: Table, level: float = LEVEL, seed: int = 0) -> Estimate:
    """A variant's mean score: Wilson's interval for pass/fail without repeats, else BCa."""
    means = row_means(table)
    means = means[~np.isnan(means)]
    mean = float(means.mean()) if len(means) else 0.0
    if is_pass_fail(table):
        return Estimate(mean, wilson(float(means.sum()), len(means), level), len(means), "Wilson")
    return Estimate(mean, bootstrap(means, level, seed), len(means), "BCa bootstrap over rows")


def estimate_amount(values: Sequence[float], level: float = LEVEL) -> Estimate | None:
    """The mean of amounts such as seconds or tokens, with Student's interval; None without any.

    One amount says nothing of how they spread: its interval has no ends then (infinite).
    """
    if not values:
        return None
    found = np.asarray(values, dtype=np.float64)
    mean, count = float(found.mean()), len(found)
    half = math.inf
    if count > 1:
        half = t_value((1 - level) / 2, count - 1) * float(found.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, Interval(mean - half, mean + half, level), count, "Student's t")


def t_value(tail: float, freedom: int) -> float:
    """Student's quantile that leaves `tail` above it, by bisection on its distribution function.

    That is Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, exact for every number of degrees of
    freedom; from 200 on the normal's is within half a percent.
    """
    if freedom >= 200:
        return z_value(tail)
    low, high = 0.0, 1e4
    while high - low > 1e-9 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - _within(middle, freedom)) / 2 > tail else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The chance of a value between -t and t."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom == 1:
        return 2 * angle / math.pi
    term, total = (1.0, 1.0) if freedom % 2 == 0 else (cosine, cosine)
    for k in range(2 if freedom % 2 == 0 else 3, freedom - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    return sine * total if freedom % 2 == 0 else 2 / math.pi * (angle + sine * total)
