"""The paired comparison of two variants over a number of rows fixed beforehand, looked at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .figures import LEVEL, Difference, Interval, z_value
from .rows import CELLS, DIGITS, Numbers, Pairs, tally

FLIPS = 9_999
ALL_FLIPS_UPTO = 14
"""With so many untied or unequal rows at most, every pattern of signs is gone through."""
FEW = 6
"""Fewer untied rows than this cannot reach p = 0.05, and say little of how far rows differ."""


def compare_once(pairs: Pairs, level: float = LEVEL, seed: int = 0) -> Difference:
    """Exact McNemar with a score interval for pass/fail, else the sign-flip test with its own."""
    scored = pairs.scored
    wins, losses, ties = tally(scored)
    if pairs.pass_fail:
        p, method = mcnemar(wins, losses), "exact McNemar, Tango's interval"
        interval = _agreeing(tango(wins, losses, len(scored), level), p)
    else:
        p, interval = sign_flip(scored, level, seed)
        method = "sign-flip permutation, subset-mean interval"
    mean = float(scored.mean()) if len(scored) else 0.0
    left_out = len(pairs.differences) - len(scored)
    return Difference(mean, interval, p, wins, losses, ties, left_out, method)


def mcnemar(wins: int, losses: int) -> float:
    """The exact two-sided p-value: of the rows that differ, each falls either way with 1/2.

    McNemar (1947), Psychometrika 12, 153-157; twice the binomial tail, at most 1.
    """
    differing, fewer = wins + losses, min(wins, losses)
    if wins == losses:
        return 1.0
    if differing <= 1_000:
        tail = sum(math.comb(differing, k) for k in range(fewer + 1))
        return min(1.0, 2 * tail / 2**differing)
    k = np.arange(fewer + 1)
    logs = np.array([math.lgamma(i + 1) + math.lgamma(differing - i + 1) for i in k])
    terms = math.lgamma(differing + 1) - logs - differing * math.log(2)
    return min(1.0, 2 * float(np.exp(terms).sum()))


def tango_z(wins: float, losses: float, rows: float, difference: float) -> float:
    """The score statistic of a difference of paired rates; about standard normal if it is true.

    Tango (1998), Statistics in Medicine 17, 891-908, formulas 6 to 8.
    """
    b = (2 * rows - wins + losses) * difference - wins - losses
    c = -losses * difference * (1 - difference)
    other = (math.sqrt(max(0.0, b * b - 8 * rows * c)) - b) / (4 * rows)
    variance = rows * (2 * other + difference * (1 - difference))
    apart = wins - losses - rows * difference
    if variance <= 0:
        return math.copysign(math.inf, apart) if apart else 0.0
    return apart / math.sqrt(variance)


def tango(wins: int, losses: int, rows: int, level: float = LEVEL) -> Interval:
    """Tango's score interval of a difference of paired rates; it has width without differences."""
    if rows == 0:
        return Interval(-1.0, 1.0, level)
    z = z_value((1 - level) / 2)
    mean = (wins - losses) / rows

    def end(outside: float) -> float:
        inside = mean
        if abs(tango_z(wins, losses, rows, outside)) <= z:
            return outside
        while abs(outside - inside) > 1e-10:
            middle = (outside + inside) / 2
            if abs(tango_z(wins, losses, rows, middle)) <= z:
                inside = middle
            else:
                outside = middle
        return inside

    return Interval(end(-1.0), end(1.0), level)


def _agreeing(interval: Interval, p: float) -> Interval:
    """With 0 in it where the exact test, which is the stricter one, does not leave it out."""
    if p <= 1 - interval.level:
        return interval
    return Interval(min(interval.low, 0.0), max(interval.high, 0.0), interval.level)


def sign_flip(differences: Numbers, level: float = LEVEL, seed: int = 0) -> tuple[float, Interval]:
    """The p-value of no difference, under which every row could have fallen the other way, and the
    interval of all mean differences that the same flips do not reject.

    Flipping a set of rows leaves a sum at least as large exactly where that set's mean is at most
    the mean tested, so the ends are quantiles of the means of random sets of rows: Hartigan (1969),
    JASA 64, 1303-1317. Two-sided: twice the smaller tail, the data themselves counted.

    Kinds of rows not yet seen are allowed for: they are fewer than about 3 or 4 in n (the rule of
    three: Hanley and Lippman-Hand (1983), JAMA 249, 1743-1745), and are taken to differ as much as
    the most different row seen, or by 1 if fewer than FEW differ. This moves no end past 0.
    """
    rows, alpha = len(differences), 1 - level
    if rows == 0:
        return 1.0, Interval(-1.0, 1.0, level)
    means = _set_means(differences, seed)
    patterns = len(means) + 1
    above = (1 + int((means <= 0).sum())) / patterns
    below = (1 + int((means >= 0).sum())) / patterns
    p = min(1.0, 2 * min(above, below))
    index = math.floor(alpha / 2 * patterns * (1 + 1e-12)) - 1
    low, high = (means[index], means[-1 - index]) if index >= 0 else (-1.0, 1.0)
    mean = float(differences.mean())
    untied = int((differences != 0).sum())
    reach = float(np.abs(differences).max()) if untied >= FEW else 1.0
    unseen = 1 - (alpha / 2) ** (1 / rows)
    wide_low, wide_high = (mean + unseen * (end - mean) for end in (-reach, reach))
    if p <= alpha and mean > 0 >= wide_low:
        wide_low = low
    elif p <= alpha and mean < 0 <= wide_high:
        wide_high = high
    return p, Interval(float(min(low, wide_low)), float(max(high, wide_high)), level)


def _set_means(differences: Numbers, seed: int) -> Numbers:
    """Sorted means of sets of rows: of all sets but the empty one, or of FLIPS random sets."""
    rows = len(differences)
    if rows <= ALL_FLIPS_UPTO:
        inside = (np.arange(1, 2**rows)[:, None] >> np.arange(rows)) & 1
        return np.sort(_means_of(inside, differences))
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS // rows)
    return np.sort(
        np.concatenate(
            [
                _means_of(_random_sets(rng, min(at_once, FLIPS - start), rows), differences)
                for start in range(0, FLIPS, at_once)
            ]
        )
    )


def _random_sets(rng: np.random.Generator, count: int, rows: int) -> NDArray[np.uint8]:
    """`count` by `rows` of 0 and 1."""
    drawn = rng.integers(0, 256, (count, (rows + 7) // 8), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=rows)


def _means_of(inside: NDArray[np.integer], values: Numbers) -> Numbers:
    sets = inside.astype(np.float64)
    return np.round(sets @ values / np.maximum(sets.sum(axis=1), 1), DIGITS)
