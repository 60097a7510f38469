"""The noise floor: how far outputs of one variant are from each other, and two variants beside that.

A against A: the same variant with other seeds says something else too. Its outputs are dealt into two
hands in every way there is, as though the hands were two variants, and the mean difference between
the hands is taken; the range of that over all deals is the floor, 5 % of them left out at either end.
The mean difference between two variants is held against the floors of both. It is of pairs with
different seeds: outputs with the same seed share their draws and are closer than chance would have
them.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb
from typing import Any

from .diff.divergence import first_token_divergence
from .likeness import likeness, words_of
from .run import Output, State

LEAST = 4
"""Outputs of a variant that it takes to judge it: six pairs."""

MOST = 32
"""Outputs of a variant that are compared, the first ones: 496 pairs."""

LEFT_OUT = 0.05
"""Share of the deals that the floor does without at either end, rounded down: one of the 35 deals of
eight outputs, none of the three of four. A variant that says two things could be dealt into those."""

MOST_DEALS = 1000
"""Where there are more ways to deal the outputs (from 13 on) so many are drawn, always the same."""


@dataclass(frozen=True)
class Spread:
    """Values in ascending order, at least one."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        return cls(tuple(sorted(values)))

    @property
    def least(self) -> float:
        return self.values[0]

    @property
    def most(self) -> float:
        return self.values[-1]

    @property
    def middle(self) -> tuple[float, float]:
        """The range of the values without `LEFT_OUT` at either end."""
        out = int(len(self.values) * LEFT_OUT)
        return self.values[out], self.values[-1 - out]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Sample:
    """One output as it is compared: its words, and its tokens with the model they are of."""

    words: tuple[str, ...]
    tokens: Sequence[int]
    model: object
    seed: int

    @classmethod
    def of(cls, output: Output) -> Sample:
        return cls(words_of(output.text), output.tokens, output.variant.model, output.seed)


@dataclass(frozen=True)
class Floor:
    """A variant against itself.

    `differ` has for every pair of its outputs the share of words in which they differ, 0 to 1
    (1 − `likeness`), and `parts` for those that part the index of the token where. `dealt` has the
    mean of `differ` between two hands of its outputs, for every way to deal them.
    """

    outputs: int
    differ: Spread
    parts: Spread | None
    dealt: Spread


@dataclass(frozen=True)
class Contrast:
    """Two variants beside what either is against itself; `differ` and `parts` as in `Floor`.

    `noise` is the floor: `dealt` of the one and the other.
    """

    differ: Spread
    parts: Spread | None
    noise: Spread

    @property
    def within(self) -> bool:
        """Whether the two differ, on average, no more than two hands of the same variant do.

        This is no test of significance: few outputs have a wide range, and a difference too small
        for it is not seen.
        """
        return self.differ.mean <= self.noise.middle[1]


def samples(outputs: Sequence[Output]) -> list[Sample]:
    """The outputs that are compared: finished ones, at most `MOST`."""
    return [Sample.of(it) for it in outputs if it.state is State.DONE][:MOST]


def floor(own: Sequence[Sample]) -> Floor:
    """A variant against itself; of at least two outputs."""
    pairs = list(combinations(range(len(own)), 2))
    apart = {pair: _apart(own[pair[0]], own[pair[1]]) for pair in pairs}
    dealt = (
        statistics.fmean(apart[min(i, j), max(i, j)] for i, j in product(hand, rest))
        for hand, rest in deals(len(own))
    )
    parts = _parts((own[i], own[j]) for i, j in pairs)
    return Floor(len(own), Spread.of(apart.values()), parts, Spread.of(dealt))


def deals(count: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The ways to deal so many outputs into two hands of the same size, or all but."""
    everything, half = range(count), count // 2
    hands = list(combinations(everything, half)) if comb(count, half) <= MOST_DEALS else []
    if not hands:
        draw = random.Random(0)
        hands = [tuple(sorted(draw.sample(everything, half))) for _ in range(MOST_DEALS)]
    elif count == 2 * half:  # the same two hands the other way round are the same deal
        hands = [hand for hand in hands if 0 in hand]
    return [(hand, tuple(i for i in everything if i not in hand)) for hand in hands]


def contrast(a: Sequence[Sample], b: Sequence[Sample], floors: tuple[Floor, Floor]) -> Contrast:
    """Two variants of at least two outputs each, and the floors of both."""
    pairs = [(one, two) for one, two in product(a, b) if one.seed != two.seed]
    noise = Spread.of(value for it in floors for value in it.dealt.values)
    return Contrast(Spread.of(_apart(*pair) for pair in pairs), _parts(pairs), noise)


def _apart(one: Sample, two: Sample) -> float:
    return 1 - likeness(one.words, two.words)


def _parts(pairs: Iterable[tuple[Sample, Sample]]) -> Spread | None:
    found = [
        first_token_divergence(one.tokens, two.tokens)
        for one, two in pairs
        if one.model == two.model
    ]
    places = [place for place in found if place is not None]
    return Spread.of(places) if places else None


def floor_document(it: Floor) -> dict[str, Any]:
    """A floor in JSON."""
    return {"outputs": it.outputs, **_document(it), "noise": _noise(it.dealt)}


def contrast_document(it: Contrast) -> dict[str, Any]:
    """A contrast in JSON."""
    return {**_document(it), "noise": _noise(it.noise), "within_noise": it.within}


def _document(it: Floor | Contrast) -> dict[str, Any]:
    return {
        "pairs": len(it.differ.values),
        "differ": spread_document(it.differ),
        "parts": None if it.parts is None else spread_document(it.parts),
    }


def _noise(dealt: Spread) -> dict[str, float]:
    low, high = dealt.middle
    return {"deals": len(dealt.values), "low": low, "high": high}


def spread_document(it: Spread) -> dict[str, float]:
    """Range, median and mean in JSON."""
    return {"least": it.least, "median": it.median, "mean": it.mean, "most": it.most}
