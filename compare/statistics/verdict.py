"""The verdict: better, worse, no difference that matters, or not decided and how much is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .anytime import compare_anytime
from .figures import MARGIN, Difference, Interval, Table
from .holm import holm, levels
from .needed import rows_anytime, rows_once
from .once import compare_once
from .rows import Pairs, pair

Outcome = Literal["better", "worse", "same", "undecided"]

ALPHA = 0.05
"""The chance of a false winner that is accepted, over all variants and looks together."""
ONCE = 0.8
"""The part of alpha that one exact test at the planned number of rows has; the rest is for looks at
any other time."""

NEXT_TO_0 = 1e-12
"""An end of an interval that leaves 0 out."""


@dataclass(frozen=True)
class Verdict:
    """Of a variant against the baseline.

    `difference` has the interval from which the outcome was read, at the level that Holm's
    correction left, and the p-value before that correction; `adjusted_p` is the one after.
    `more_rows`: about how many further rows would decide it, None if that is decided, cannot be
    said without rows, or is out of reach.
    """

    outcome: Outcome
    difference: Difference
    adjusted_p: float
    margin: float
    more_rows: int | None


def decide(
    variant: Table,
    baseline: Table,
    *,
    planned: int | None = None,
    alpha: float = ALPHA,
    margin: float = MARGIN,
    seed: int = 0,
) -> Verdict:
    """One variant against the baseline; see decide_all."""
    (verdict,) = decide_all(
        {"": variant}, baseline, planned=planned, alpha=alpha, margin=margin, seed=seed
    ).values()
    return verdict


def decide_all(
    variants: Mapping[str, Table],
    baseline: Table,
    *,
    planned: int | None = None,
    alpha: float = ALPHA,
    margin: float = MARGIN,
    seed: int = 0,
) -> dict[str, Verdict]:
    """Every variant against the baseline, over rows in the order in which they were run.

    Valid however often it is called as rows are added. `planned` is the number of rows that was
    settled before the first was looked at, and never changed since: the first `planned` rows are
    then tested once, at ONCE of alpha, as if nobody had looked before.

    "better" and "worse": the interval is on one side of 0. "same": all of it is within ±margin,
    which goes before a difference that is sure and does not matter. Raises ValueError for tables of
    different lengths and for scores outside 0 to 1.
    """
    compared = [_Combined(pair(table, baseline), planned, seed) for table in variants.values()]
    p_values = [each.p for each in compared]
    adjusted, held = holm(p_values), levels(p_values, alpha)
    return {
        name: _verdict(each, p, level, margin)
        for name, each, p, level in zip(variants, compared, adjusted, held, strict=True)
    }


class _Combined:
    """The planned test and the one for every look, each with its part of the error.

    A winner of the planned test is dropped while all rows together lean the other way: no error is
    added by calling fewer winners.
    """

    def __init__(self, pairs: Pairs, planned: int | None, seed: int) -> None:
        self.pairs, self.planned, self.seed = pairs, planned, seed
        self.anytime_part = 1.0 if planned is None else 1 - ONCE
        self.tested = None
        if planned is not None and len(pairs.differences) >= planned:
            self.tested = pairs.first(planned)

    @cached_property
    def p(self) -> float:
        anytime = compare_anytime(self.pairs)
        p = anytime.p / self.anytime_part
        if self.tested is not None:
            once = compare_once(self.tested, seed=self.seed)
            if once.mean * anytime.mean > 0:
                p = min(p, once.p / ONCE)
        return min(1.0, p)

    def difference(self, alpha: float) -> Difference:
        """Over all rows, with the interval that both comparisons leave."""
        anytime = compare_anytime(self.pairs, 1 - alpha * self.anytime_part)
        within, method = anytime.interval, anytime.method
        if self.tested is not None:
            once = compare_once(self.tested, 1 - alpha * ONCE, self.seed)
            if 0 in once.interval or once.mean * anytime.mean > 0:
                within = _both(within, once.interval)
            method = f"{once.method}; {method}"
        return Difference(
            anytime.mean,
            Interval(within.low, within.high, 1 - alpha),
            self.p,
            anytime.wins,
            anytime.losses,
            anytime.ties,
            anytime.left_out,
            method,
        )

    def more_rows(self, alpha: float, margin: float) -> int | None:
        rows, scored = len(self.pairs.differences), self.pairs.scored
        if self.planned is not None and rows < self.planned:
            enough = rows_once(scored, alpha * ONCE, margin)
            if enough is not None and enough <= self.planned:
                return self.planned - rows
        enough = rows_anytime(scored, alpha * self.anytime_part, margin)
        return None if enough is None else max(1, enough - len(scored))


def _both(anytime: Interval, once: Interval) -> Interval:
    """What is in both. Where nothing is, because rows added after the planned ones differ from
    them: the first, and of the second only the side of 0 that it is on."""
    low, high = max(anytime.low, once.low), min(anytime.high, once.high)
    if low > high:
        low = max(anytime.low, NEXT_TO_0) if once.low > 0 else anytime.low
        high = min(anytime.high, -NEXT_TO_0) if once.high < 0 else anytime.high
    return Interval(low, high, anytime.level)


def _verdict(combined: _Combined, adjusted_p: float, level: float, margin: float) -> Verdict:
    difference = combined.difference(level)
    outcome = _outcome(difference.interval, margin)
    more = combined.more_rows(level, margin) if outcome == "undecided" else None
    return Verdict(outcome, difference, adjusted_p, margin, more)


def _outcome(interval: Interval, margin: float) -> Outcome:
    if interval.within(margin):
        return "same"
    if 0 in interval:
        return "undecided"
    return "better" if interval.low > 0 else "worse"
