"""The figures of the decision table. Scores and rates are shares from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ....models.adapters.training import Training
from ...statistics.figures import Estimate
from ...statistics.noise import NoiseFloor
from ...statistics.verdict import Verdict
from .rules import Pair, Ruling
from .sides import Kind

WIDEST = 10
"""The larger end of an interval by the smaller, beyond which it says too little."""


@dataclass(frozen=True)
class Tried:
    """One variant of a kind, with what it was given to learn from: examples in its prompt, rows its
    adapters were trained on (None if a file does not say). `score` is on the rows that chose, where
    one of several was picked."""

    name: str
    label: str
    score: Estimate
    examples: int
    rows_trained: int | None


@dataclass(frozen=True)
class Trained:
    """An adapter of a stack, its size in bytes, how many parameters it has, and how it was made."""

    name: str
    bytes: int | None
    parameters: int | None
    training: Training


@dataclass(frozen=True)
class BreakEven:
    """After how many calls what was spent once has been saved, call by call.

    `unit` is "seconds" or "prompt tokens"; `saved` is per call against prompting, and negative
    where a call costs more. `calls`, its estimate and the ends of its interval: None is never. It is
    `sure` where the interval says it well: tokens are counted, but calls are timed a few times, and
    say it only with both ends of `saved` on one side of 0 and at most `WIDEST` apart as a ratio.
    """

    unit: str
    spent: float
    saved: Estimate

    @property
    def sure(self) -> bool:
        low, high = self.saved.interval.low, self.saved.interval.high
        ends = sorted((abs(low), abs(high)))
        timed = low * high > 0 and ends[1] <= WIDEST * ends[0]
        return timed or low == high or self.unit != "seconds"

    @property
    def calls(self) -> int | None:
        return self._after(self.saved.mean)

    @property
    def least(self) -> int | None:
        return self._after(self.saved.interval.high)

    @property
    def most(self) -> int | None:
        return self._after(self.saved.interval.low)

    def _after(self, saved: float) -> int | None:
        return math.ceil(self.spent / saved) if saved > 0 else None


@dataclass(frozen=True)
class Elsewhere:
    """An adapter stack on another suite, with that suite's plain prompt, beside the base alone.

    `instructions` says that the suite is about changed instructions; `mark` is the same for what
    would give the same. `noise` is how far the noisier of the two is from itself (None without
    repeats).
    """

    suite: str
    instructions: bool
    stack: str
    base: Estimate
    score: Estimate
    verdict: Verdict
    mark: str = ""
    noise: float | None = None


@dataclass(frozen=True)
class Before:
    """A variant with an adapter that was there before the trained ones, beside which the one that
    stands for its `kind` is held: the lead of that one."""

    kind: Kind
    name: str
    label: str
    verdict: Verdict


@dataclass(frozen=True)
class Rated:
    """Blind ratings by people: the chance that this one is preferred to an average variant."""

    ratings: int
    chance: Estimate


@dataclass(frozen=True)
class Side:
    """One kind with the variant that stands for it.

    `differs` are the parts that differ from the baseline's. `violations` is the share of answers
    that break the form that checks ask for (None without such checks), `changing` that of rows
    whose score changes with the seed, `noise` the noise floor (both None without repeats). It is
    `settled` where it stands for several by its rows, and not by its score.
    """

    kind: Kind
    name: str
    label: str
    prompt: str
    stack: str
    differs: tuple[str, ...]
    examples: int
    tried: tuple[Tried, ...]
    trained: tuple[Trained, ...]
    score: Estimate
    passed: Estimate
    tokens: Estimate
    seconds: Estimate | None
    violations: Estimate | None
    changing: Estimate | None
    noise: NoiseFloor | None
    break_even: tuple[BreakEven, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    rated: Rated | None = None
    settled: bool = False


@dataclass(frozen=True)
class Part:
    """Rows of one sort by themselves: each kind's score and noise floor, and all comparisons."""

    rows: int
    scores: Mapping[Kind, Estimate]
    noise: Mapping[Kind, NoiseFloor | None]
    pairs: tuple[Pair, ...]

    def pair(self, other: Pair) -> Pair:
        """The same comparison on these rows."""
        ends = (other.cheaper, other.costlier)
        return next(it for it in self.pairs if (it.cheaper, it.costlier) == ends)


@dataclass(frozen=True)
class Apart:
    """Rows that are tagged as unlike what adapters were trained on, and all others."""

    new: Part
    others: Part


@dataclass(frozen=True)
class Decision:
    """The table and the ruling. `rows` were compared on, `chosen_on` chose, `unused` of their half
    were not planned for that; while `waits_for` more
    of the rows that choose are missing, nothing is compared. `level` holds for all intervals of
    differences together, and `problems` are sentences on what could not be had. `apart` is None
    where no rows are tagged as new, or all of them. `before` are held beside those that were
    trained just now, and change nothing in the ruling; their intervals hold among themselves."""

    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    ruling: Ruling
    rows: int
    chosen_on: int
    unused: int
    waits_for: int
    share: float
    margin: float
    level: float
    problems: tuple[str, ...] = ()
    apart: Apart | None = None
    before: tuple[Before, ...] = ()

    def side(self, kind: Kind | None) -> Side | None:
        return next((it for it in self.sides if it.kind == kind), None)

    def pair(self, cheaper: Kind, costlier: Kind) -> Pair | None:
        return next(
            (it for it in self.pairs if (it.cheaper, it.costlier) == (cheaper, costlier)), None
        )
