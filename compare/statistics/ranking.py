"""A ranking of variants from blind ratings of two answers at a time: Bradley, Terry and Davidson."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .figures import LEVEL, Interval, z_value
from .rows import Numbers

Choice = Literal["first", "second", "tie", "both bad"]

FARTHEST = 20.0
"""Strengths beyond this many units of log-odds are not looked for."""

LONGEST = 4.0
"""No step of the search is longer: far out the likelihood is flat, and Newton's steps lead nowhere."""


@dataclass(frozen=True)
class Rating:
    """What a person said of two variants' answers; without `rater` nobody was shown them, and neither
    had a place."""

    first: str
    second: str
    choice: Choice
    rater: str | None = None


@dataclass(frozen=True)
class Ranked:
    """A variant's place in the ranking.

    `strength` is in log-odds, and 0 on average over the variants; `chance` is that of winning
    against a variant of average strength where there is no tie. Its interval comes from the
    strength's.
    """

    name: str
    strength: float
    interval: Interval
    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def chance(self) -> float:
        return _logistic(self.strength)

    @property
    def chance_interval(self) -> Interval:
        ends = self.interval
        return Interval(_logistic(ends.low), _logistic(ends.high), ends.level)


def rank(ratings: Iterable[Rating], level: float = LEVEL) -> list[Ranked]:
    """The strongest first; names in order where strengths are equal. Skipped pairs are left out.

    Bradley and Terry (1952), Biometrika 39, 324-345, with ties as in Davidson (1970), JASA 65,
    317-328; both bad is a tie, since it favours neither. What being shown first is worth to each
    rater is estimated beside the strengths, as in Davidson and Beaver (1977), Biometrics 33,
    693-702, so that it helps no variant that was first more often. A variant that never lost would
    be infinitely strong: each strength, each place, and the readiness to tie, has a log-F(1, 1)
    prior, which is worth one draw against an average variant (Greenland and Mansournia (2015),
    Statistics in Medicine 34, 3133-3143). Intervals are those of the profile likelihood, since the
    strength of a variant that never lost is much surer below than above.

    Ratings count as independent; several of one row or by one person make intervals too narrow.
    """
    rated = list(ratings)
    names = sorted({name for rating in rated for name in (rating.first, rating.second)})
    if not names:
        return []
    model = _Davidson(names, rated)
    needed = z_value((1 - level) / 2) ** 2 / 2
    strengths, best = model.fit()
    found = []
    for index, name in enumerate(names):
        mine = [rating for rating in rated if name in (rating.first, rating.second)]
        lost = [rating for rating in mine if rating.choice == _other_side(rating, name)]
        decided = [rating for rating in mine if rating.choice in ("first", "second")]
        strength = float(strengths[index])
        found.append(
            Ranked(
                name,
                strength,
                Interval(
                    model.end(index, strength, -FARTHEST, best - needed),
                    model.end(index, strength, FARTHEST, best - needed),
                    level,
                )
                if len(names) > 1
                else Interval(0.0, 0.0, level),
                len(decided) - len(lost),
                len(lost),
                sum(rating.choice == "tie" for rating in mine),
                sum(rating.choice == "both bad" for rating in mine),
            )
        )
    return sorted(found, key=lambda each: (-each.strength, each.name))


def _other_side(rating: Rating, name: str) -> Choice:
    return "second" if rating.first == name else "first"


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


class _Davidson:
    """The penalised likelihood of strengths that sum to 0, of what the first place is worth to each
    rater, and of the readiness to tie.

    A win is worth the winner's strength and half of its place, which is the less for the second what
    it is the more for the first; a tie half of both strengths and the readiness. The chances of the
    three are proportional to the exponentials of these. `counts` are pairs by rater and the three
    outcomes, `worth` says by parameter (strengths, places, readiness) what each is worth.
    """

    def __init__(self, names: list[str], ratings: list[Rating]) -> None:
        self.count = len(names)
        columns = {name: index for index, name in enumerate(names)}
        raters = sorted({it.rater for it in ratings if it.rater is not None})
        places = {rater: self.count + index for index, rater in enumerate(raters)}
        counts: dict[tuple[int, int, int | None], list[int]] = {}
        for rating in ratings:
            first, second = columns[rating.first], columns[rating.second]
            if first == second:
                raise ValueError(f"{rating.first} was rated against itself")
            place = None if rating.rater is None else places[rating.rater]
            outcome = {"first": 0, "second": 1}.get(rating.choice, 2)
            counts.setdefault((first, second, place), [0, 0, 0])[outcome] += 1
        self.counts = np.array(list(counts.values()), dtype=np.float64)
        self.worth = np.zeros((len(counts), 3, self.count + len(places) + 1))
        for worth, (i, j, place) in zip(self.worth, counts, strict=True):
            worth[0, i] = worth[1, j] = worth[2, -1] = 1.0
            worth[2, i] = worth[2, j] = 0.5
            if place is not None:
                worth[0, place], worth[1, place] = 0.5, -0.5

    def fit(self) -> tuple[Numbers, float]:
        """The most likely strengths, and the logarithm of their penalised likelihood."""
        free = _sum_zero(self.count)
        return self._climb(free, np.zeros(self.count))

    def end(self, index: int, inside: float, outside: float, least: float) -> float:
        """The strength between `inside` and `outside` at which the best likelihood is `least`."""
        others = np.delete(np.arange(self.count), index)
        free = np.zeros((self.count, self.count - 2))
        free[others] = _sum_zero(self.count - 1)
        held = np.full(self.count, -1 / (self.count - 1))
        held[index] = 1.0
        while abs(outside - inside) > 1e-6:
            middle = (inside + outside) / 2
            if self._climb(free, held * middle)[1] >= least:
                inside = middle
            else:
                outside = middle
        return inside

    def _climb(self, free: Numbers, held: Numbers) -> tuple[Numbers, float]:
        """Newton's method with halved steps, over strengths = held + free @ x and all that is no strength.

        The logarithm of the likelihood is concave, so what it ends at is the maximum.
        """
        others = self.worth.shape[2] - self.count
        directions = np.zeros((self.count + others, free.shape[1] + others))
        directions[: self.count, : free.shape[1]] = free
        directions[self.count :, free.shape[1] :] = np.eye(others)
        start = np.append(held, np.zeros(others))
        x = np.zeros(directions.shape[1])
        value, slope, bend = self._likelihood(start)
        for _ in range(100):
            slope, bend = directions.T @ slope, directions.T @ bend @ directions
            step = np.linalg.solve(bend, slope)
            if float(slope @ step) < 1e-12:
                break
            size = min(1.0, LONGEST / float(np.abs(step).max()))
            while size > 1e-6:
                better = self._likelihood(start + directions @ (x + size * step))
                if better[0] >= value:
                    break
                size /= 2
            x = x + size * step
            value, slope, bend = self._likelihood(start + directions @ x)
        return (start + directions @ x)[: self.count], value

    def _likelihood(self, parameters: Numbers) -> tuple[float, Numbers, Numbers]:
        """Its logarithm, gradient, and the negative of its second derivatives."""
        prior = np.exp(-np.logaddexp(0, -parameters))
        value = float((parameters / 2 - np.logaddexp(0, parameters)).sum())
        slope = 0.5 - prior
        bend = np.diag(prior * (1 - prior))
        logs = self.worth @ parameters
        totals = np.logaddexp.reduce(logs, axis=1)
        chances = np.exp(logs - totals[:, None])
        means = np.einsum("po,pos->ps", chances, self.worth)
        rated = self.counts.sum(axis=1)
        value += float((self.counts * (logs - totals[:, None])).sum())
        slope = slope + np.einsum("po,pos->s", self.counts, self.worth) - rated @ means
        spread = np.einsum("po,pos,pot->st", rated[:, None] * chances, self.worth, self.worth)
        bend = bend + spread - (means * rated[:, None]).T @ means
        return value, slope, bend


def _sum_zero(count: int) -> Numbers:
    """count by count - 1: orthonormal directions in which the sum does not change."""
    whole, _ = np.linalg.qr(np.column_stack([np.ones(count), np.eye(count)[:, 1:]]))
    return whole[:, 1:]
