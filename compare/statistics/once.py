"""The paired comparison, pass or fail, over rows that were fixed beforehand, looked at once."""

from __future__ import annotations

import math

import numpy as np

from .figures import LEVEL, Difference, Interval, z_value
from .rows import Pairs, tally


def compare_once(pairs: Pairs, level: float = LEVEL) -> Difference:
    """The exact McNemar test with a score interval, of rows that pass or fail."""
    scored = pairs.scored
    wins, losses, ties = tally(scored)
    p = mcnemar(wins, losses)
    interval = _agreeing(tango(wins, losses, len(scored), level), p)
    mean = float(scored.mean()) if len(scored) else 0.0
    left_out = len(pairs.differences) - len(scored)
    method = "exact McNemar, Tango's interval"
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
