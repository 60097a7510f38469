"""The verdict: better, worse, no difference that matters, or not decided and how much is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .anytime import compare_anytime
from .figures import MARGIN, Difference, Interval, Planned, Table
from .holm import holm, levels
from .needed import rows_anytime, rows_once
from .once import compare_once
from .rows import Pairs, pair, tally

Outcome = Literal["better", "worse", "same", "undecided"]

ALPHA = 0.05
"""The chance of a false winner that is accepted, over all variants and looks together."""
ONCE = 0.8
"""The part of alpha that one exact test of the planned rows has, where answers pass or fail; the
rest is for looks at any other time."""


@dataclass(frozen=True)
class Verdict:
    """Of a variant against the baseline.

    `difference` has the interval from which the outcome was read, at the level that Holm's
    correction left, and the p-value before that correction; `adjusted_p` is the one after.
    `more_rows`: about how many further rows would decide it, None if that is decided, cannot be
    said without rows, or is out of reach. `faded` says that the planned rows alone have a winner,
    to which all rows together hardly lean: it is none then.
    """

    outcome: Outcome
    difference: Difference
    adjusted_p: float
    margin: float
    more_rows: int | None
    faded: bool = False


def decide(
    variant: Table,
    baseline: Table,
    *,
    planned: Planned | None = None,
    alpha: float = ALPHA,
    margin: float = MARGIN,
) -> Verdict:
    """One variant against the baseline; see decide_all."""
    given = {} if planned is None else {"": planned}
    (verdict,) = decide_all(
        {"": variant}, baseline, planned=given, alpha=alpha, margin=margin
    ).values()
    return verdict


def decide_all(
    variants: Mapping[str, Table],
    baseline: Table,
    *,
    planned: Mapping[str, Planned] | None = None,
    alpha: float = ALPHA,
    margin: float = MARGIN,
) -> dict[str, Verdict]:
    """Every variant against the baseline.

    Valid however often it is called as rows are added. `planned` are the rows that were settled for
    a variant before the first of them was looked at, and never changed since: once all are there
    they are tested exactly, at ONCE of alpha, as if nobody had looked before. Graded scores are not
    tested so, since no test of a single look holds for every way they can be spread; all of alpha
    is betting's then.

    "better" and "worse": the interval is on one side of 0. "same": all of it is within ±margin,
    which goes before a difference that is sure and does not matter. Rows that could be scored under
    one of the two only, and planned rows that are gone, count against whichever is ahead. Raises
    ValueError for tables of different lengths and for scores outside 0 to 1.
    """
    settled = planned or {}
    compared = [
        _Combined(pair(table, baseline), settled.get(name)) for name, table in variants.items()
    ]
    p_values = [each.p for each in compared]
    adjusted, held = holm(p_values), levels(p_values, alpha)
    return {
        name: _verdict(each, p, level, margin)
        for name, each, p, level in zip(variants, compared, adjusted, held, strict=True)
    }


class _Combined:
    """The planned test and the one for every look, each with its part of the error.

    What is not known is taken as the worst for either side: the lower end of the interval, and
    whether the variant is better, come from `low`, the others from `high`.
    """

    def __init__(self, pairs: Pairs, planned: Planned | None) -> None:
        self.pairs, self.planned = pairs, planned
        tested = None
        self.anytime_part = 1.0
        if planned is not None and pairs.at(planned.rows).pass_fail:
            self.anytime_part = 1 - ONCE
            if not planned.to_come:
                tested = pairs.at(planned.rows)
        gone = 0 if planned is None else planned.gone
        self.low, self.high = (
            _Side(
                pairs.taking(unknown, gone),
                None if tested is None else tested.taking(unknown, gone),
                self.anytime_part,
            )
            for unknown in (-1.0, 1.0)
        )

    @cached_property
    def p(self) -> float:
        if self.low.mean > 0:
            return self.low.p
        return self.high.p if self.high.mean < 0 else 1.0

    def difference(self, alpha: float) -> Difference:
        """Over all rows, with the interval that both comparisons leave."""
        low, high = self.low.interval(alpha), self.high.interval(alpha)
        scored = self.pairs.scored
        wins, losses, ties = tally(scored)
        mean = float(scored.mean()) if len(scored) else 0.0
        return Difference(
            mean,
            Interval(low.low, high.high, 1 - alpha),
            self.p,
            wins,
            losses,
            ties,
            len(self.pairs.differences) - len(scored),
            self.low.method,
        )

    def faded(self, alpha: float) -> bool:
        """Whether the planned rows alone have a winner, that all rows together hardly lean to."""
        return self.low.faded(alpha) and self.high.faded(alpha)

    def more_rows(self, alpha: float, margin: float) -> int | None:
        """The fewer of those to the planned test, if that would do, and to betting's verdict; None
        where neither would, and while what is not known could turn the lead round."""
        if self.low.mean <= 0 < self.high.mean:
            return None
        planned, needs = self.planned, list[int]()
        seen = (self.low if self.low.mean > 0 else self.high).scored
        if planned is not None and planned.to_come and self.anytime_part < 1:
            enough = rows_once(seen, alpha * ONCE, margin)
            if enough is not None and enough <= planned.count:
                needs.append(planned.to_come)
        enough = rows_anytime(seen, alpha * self.anytime_part, margin)
        if enough is not None:
            needs.append(max(1, enough - len(seen)))
        return min(needs, default=None)


class _Side:
    """The comparison with what is not known taken as the worst for one of the two.

    A winner of the planned test stands only while all rows together lean to it by more than their
    standard error: no error is added by calling fewer winners, or by a wider interval.
    """

    def __init__(self, pairs: Pairs, tested: Pairs | None, anytime_part: float) -> None:
        self.pairs, self.tested, self.anytime_part = pairs, tested, anytime_part
        self.scored = pairs.scored
        self.mean = float(self.scored.mean()) if len(self.scored) else 0.0

    @cached_property
    def p(self) -> float:
        p = compare_anytime(self.pairs).p / self.anytime_part
        if self.tested is not None:
            once = compare_once(self.tested)
            if _leans(self.leaning, once.mean):
                p = min(p, once.p / ONCE)
        return min(1.0, p)

    @cached_property
    def leaning(self) -> Interval:
        """The mean of all rows, give or take its standard error were it 0."""
        error = math.sqrt(float((self.scored**2).sum())) / max(1, len(self.scored))
        return Interval(self.mean - error, self.mean + error)

    def interval(self, alpha: float) -> Interval:
        """What both comparisons leave; that of the planned rows holds all that all rows lean to."""
        within = compare_anytime(self.pairs, 1 - alpha * self.anytime_part).interval
        if (once := self._once(alpha)) is not None:
            leaning = self.leaning
            low, high = min(once.low, leaning.low), max(once.high, leaning.high)
            within = Interval(max(within.low, low), min(within.high, high), within.level)
        return within

    def faded(self, alpha: float) -> bool:
        once = self._once(alpha)
        return once is not None and 0 not in once and not _leans(self.leaning, once.low)

    def _once(self, alpha: float) -> Interval | None:
        return self.tested and compare_once(self.tested, 1 - alpha * ONCE).interval

    @property
    def method(self) -> str:
        anytime = "betting, valid at every look"
        return anytime if self.tested is None else f"exact McNemar, Tango's interval; {anytime}"


def _leans(leaning: Interval, to: float) -> bool:
    """Whether all of it is on the side of 0 that `to` is on."""
    return leaning.low > 0 if to > 0 else leaning.high < 0 and to < 0


def _verdict(combined: _Combined, adjusted_p: float, level: float, margin: float) -> Verdict:
    difference = combined.difference(level)
    outcome = _outcome(difference.interval, margin)
    if outcome != "undecided":
        return Verdict(outcome, difference, adjusted_p, margin, None)
    more = combined.more_rows(level, margin)
    return Verdict(outcome, difference, adjusted_p, margin, more, combined.faded(level))


def _outcome(interval: Interval, margin: float) -> Outcome:
    if interval.within(margin):
        return "same"
    if 0 in interval:
        return "undecided"
    return "better" if interval.low > 0 else "worse"
