"""The paired comparison that may be looked at after every row: betting on the differences.

Imagine a gambler who starts with 1 and stakes, row after row, a fixed share of it on the variant
being better. If it is not, no strategy makes money on average, and the chance that the money *ever*
reaches 1/a is at most a (Ville's inequality), however often one looks and whenever one stops. So a
large fortune is evidence, and adding rows until it is large buys nothing.

With d in [-1, 1] the difference of a row and m the mean tested, a stake c in (0, 1] turns the money
into the product of 1 + c (d - m) / (1 + m): Waudby-Smith and Ramdas (2024), Estimating means of
bounded random variables by betting, JRSS B 86, 1-27, formula 17 in the scale of differences. The
money is spread over a grid of stakes (a mixture, as in Robbins (1970), Ann. Math. Stat. 41,
1397-1409): the result does not depend on the order of the rows, and needs no record of earlier
looks. For pass/fail this is the anytime form of McNemar's test. A second gambler bets on the
variant being worse; each has half of the error allowed.
"""

from __future__ import annotations

import math

import numpy as np

from .figures import LEVEL, Difference, Interval
from .rows import Numbers, Pairs, tally

_STEPS = np.arange(13)
STAKES = 2.0 ** (-_STEPS / 2)
"""From 1 down to 1/64."""
_WEIGHTS = np.exp(-(((_STEPS - 2) / 2.0) ** 2)) + 0.05
LOG_SHARES = np.log(_WEIGHTS / _WEIGHTS.sum())
"""How the money is spread over the stakes: most about 0.5, best where rows are tens to hundreds and
what one variant is ahead by is a third or more of how far rows differ; some on every stake, for
smaller leads over thousands of rows."""


def log_money(values: Numbers, counts: Numbers, mean: float) -> Numbers:
    """The logarithm of what betting on a mean above `mean` (over -1) made of 1.

    `counts[..., i]` rows had the difference `values[i]`; they may be fractions. The leading shape
    of `counts` is the result's.
    """
    with np.errstate(divide="ignore"):
        gains = np.log1p(np.outer(STAKES, (values - mean) / (1 + mean)))
    # 0 rows of a difference that ruins a stake do not ruin it.
    ruins = np.isneginf(gains)
    made = counts @ np.where(ruins, 0.0, gains).T
    ruined = counts @ ruins.T > 0
    return np.logaddexp.reduce(np.where(ruined, -np.inf, made + LOG_SHARES), axis=-1)


def p_value(values: Numbers, counts: Numbers, mean: float = 0.0) -> Numbers:
    """Of the mean difference being `mean`, valid at any number of looks; shapes as in log_money."""
    up = log_money(values, counts, mean) if mean > -1 else np.full(counts.shape[:-1], -np.inf)
    down = log_money(-values, counts, -mean) if mean < 1 else np.full(counts.shape[:-1], -np.inf)
    return np.minimum(1.0, 2 * np.exp(-np.maximum(np.maximum(up, down), 0.0)))


def interval(values: Numbers, counts: Numbers, level: float = LEVEL) -> Interval:
    """All means that p_value does not put at 1 - level or below; `counts` has one dimension.

    At every number of rows at once the true mean is inside with the chance `level`.
    """
    needed = math.log(2 / (1 - level))
    return Interval(-_upper_end(-values, counts, needed), _upper_end(values, counts, needed), level)


def _upper_end(values: Numbers, counts: Numbers, needed: float) -> float:
    """The least mean at which betting on a lower one makes `needed`, found by halving: the money
    only grows with the mean tested."""
    total = counts.sum()
    if total == 0:
        return 1.0
    inside, outside = float(values @ counts / total), 1.0
    while outside - inside > 1e-9:
        middle = (inside + outside) / 2
        if log_money(-values, counts, -middle) < needed:
            inside = middle
        else:
            outside = middle
    return outside


def compare_anytime(pairs: Pairs, level: float = LEVEL) -> Difference:
    """The difference so far, however many looks there were before and will be."""
    scored = pairs.scored
    wins, losses, ties = tally(scored)
    values, counts = grouped(scored)
    return Difference(
        float(scored.mean()) if len(scored) else 0.0,
        interval(values, counts, level),
        float(p_value(values, counts)),
        wins,
        losses,
        ties,
        len(pairs.differences) - len(scored),
        "betting, valid at every look",
    )


def grouped(differences: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct differences and how many rows had each."""
    values, counts = np.unique(differences, return_counts=True)
    return values, counts.astype(np.float64)
