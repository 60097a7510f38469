"""How far raters agree with each other, and checks with people: Krippendorff's alpha."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from .figures import LEVEL, Interval
from .rows import Numbers

RESAMPLES = 2_000


@dataclass(frozen=True)
class Agreement:
    """`alpha` is 1 where all agree, 0 where they agree as often as by chance, below 0 where less;
    None if nothing was rated twice, or everybody always said the same one thing: chance would agree
    as well. The interval is None too where no two ratings differ: they say nothing of how far
    others would. `same` is the share of pairs of ratings that are equal, None without any pair.
    `units` were rated twice or more."""

    alpha: float | None
    interval: Interval | None
    same: float | None
    units: int


def agreement(
    units: Sequence[Sequence[Hashable]], level: float = LEVEL, seed: int = 0
) -> Agreement:
    """Each unit (two answers side by side, say) holds what its raters chose; names have no order.

    Krippendorff's alpha rather than Cohen's kappa: any number of raters, who need not have rated
    the same units. Krippendorff (2019), Content Analysis, 4th ed., 12.2. The interval is the
    percentile bootstrap over units.
    """
    rated = [unit for unit in units if len(unit) > 1]
    choices = {choice: index for index, choice in enumerate({c: None for u in rated for c in u})}
    counts = np.zeros((len(rated), len(choices)))
    for row, unit in enumerate(rated):
        for choice, count in Counter(unit).items():
            counts[row, choices[choice]] = count
    if not rated:
        return Agreement(None, None, None, 0)
    sizes = counts.sum(axis=1)
    pairs = (sizes * (sizes - 1)).sum()
    same = float(((counts * (counts - 1)).sum()) / pairs)
    kinds, often = np.unique(counts, axis=0, return_counts=True)
    (alpha,) = _alphas(kinds, often[None, :].astype(np.float64))
    if np.isnan(alpha):
        return Agreement(None, None, same, len(rated))
    if same == 1:
        return Agreement(float(alpha), None, same, len(rated))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(rated), often / len(rated), RESAMPLES)
    known = _alphas(kinds, drawn.astype(np.float64))
    low, high = np.nanquantile(known, ((1 - level) / 2, (1 + level) / 2))
    return Agreement(float(alpha), Interval(float(low), float(high), level), same, len(rated))


def with_people(
    checks: Sequence[float], people: Sequence[str], level: float = LEVEL, seed: int = 0
) -> Agreement:
    """A check against people, over the same pairs of answers.

    `checks` are the scores of the first answer less those of the second, `people` say "first",
    "second", or anything else for neither, which is held against a difference of 0.
    """
    said = ["first" if each > 0 else "second" if each < 0 else "neither" for each in checks]
    heard = [each if each in ("first", "second") else "neither" for each in people]
    return agreement(list(zip(said, heard, strict=True)), level, seed)


def _alphas(counts: Numbers, weights: Numbers) -> Numbers:
    """One for each row of weights, which say how often each unit was drawn; nan where chance would
    agree as well.

    `counts` are units by choices, each unit with two ratings or more.
    """
    sizes = counts.sum(axis=1)
    totals = weights @ sizes
    disagreeing = weights @ ((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)) / totals
    expected = (totals**2 - ((weights @ counts) ** 2).sum(axis=1)) / (totals * (totals - 1))
    possible = expected > 0
    return np.where(possible, 1 - disagreeing / np.where(possible, expected, 1.0), np.nan)
