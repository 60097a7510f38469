"""The noise floor: whether two variants differ more than either differs from itself.

A against A: the same variant with other seeds says something else too. So two variants are told
apart by a test of two samples. Its figure is the energy distance (Székely and Rizzo, 2004),
E = 2 × mean d(A, B) − mean d(A, A) − mean d(B, B), d being the share of words that differ. It is
held against what E becomes when the outputs of A and B with the same seed change places, in every
way there is: if the variant made no difference, each of these would be as likely as what was found,
whatever the outputs are like. Outputs with the same seed share their draws and are closer than
chance would have them; such pairs are left out of d(A, B).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from operator import mul
from typing import Any

from .diff.divergence import first_token_divergence
from .enough import LEAST
from .likeness import likeness, words_of
from .reasoning import answer_of
from .run import Output, State

MOST = 32
"""Outputs of a variant that are compared, the first ones: 496 pairs."""

CHANCE = 0.05
"""Beyond noise is what at most this share of the swaps comes up to."""

ALL_SWAPS = 12
"""Up to so many pairs all 2^(n − 1) swaps are tried (to swap all is to swap none)."""

DRAWN_SWAPS = 2000
"""Beyond so many are drawn, always the same, what was found being one."""


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
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, eq=False)
class Sample:
    """One output as it is compared: the words of its answer, and all its tokens with the model they
    are of."""

    words: tuple[str, ...]
    tokens: Sequence[int]
    model: object
    seed: int

    @classmethod
    def of(cls, output: Output) -> Sample:
        words = words_of(answer_of(output))
        return cls(words, output.tokens, output.variant.model, output.seed)


@dataclass(frozen=True)
class Floor:
    """A variant against itself.

    `differ` has for every pair of its outputs the share of words in which they differ, 0 to 1
    (1 − `likeness`), and `parts` for those that part the index of the token where.
    """

    outputs: int
    differ: Spread
    parts: Spread | None


@dataclass(frozen=True)
class Swaps:
    """The energy distance of two samples, and how many of `tried` swaps come up to it (`as_far`, what
    was found among them)."""

    energy: float
    tried: int
    as_far: int

    @property
    def share(self) -> float:
        """The p-value of the test: how often chance alone would come up to it."""
        return self.as_far / self.tried


@dataclass(frozen=True)
class Contrast:
    """Two variants beside what either is against itself; `differ` and `parts` as in `Floor`.

    `own` has the mean of `differ` of the first and of the second against itself. `swaps` is None
    for two variants without chance, which are run in other batches instead. `within` says that they
    may be no different; None where either has too few outputs to tell (`LEAST`).
    """

    differ: Spread
    parts: Spread | None
    own: tuple[float, float]
    swaps: Swaps | None
    within: bool | None


def samples(outputs: Sequence[Output]) -> list[Sample]:
    """The outputs that are compared: finished ones, at most `MOST`."""
    return [Sample.of(it) for it in outputs if it.state is State.DONE][:MOST]


def floor(own: Sequence[Sample]) -> Floor:
    """A variant against itself; of at least two outputs."""
    pairs = list(combinations(own, 2))
    return Floor(len(own), Spread.of(_apart(*pair) for pair in pairs), _parts(pairs))


def contrast(a: Sequence[Sample], b: Sequence[Sample], floors: tuple[Floor, Floor]) -> Contrast:
    """Two variants of at least two outputs each, and the floors of both."""
    swaps = swapped(a, b)
    enough = min(len(a), len(b)) >= LEAST
    within = swaps.share > CHANCE if enough else None
    return Contrast(*_between(a, b), _own(floors), swaps, within)


def contrast_in_batches(
    a: Sequence[Sample], b: Sequence[Sample], floors: tuple[Floor, Floor]
) -> Contrast:
    """Two variants that always take the likeliest token; the floors are of other batches.

    There is no chance to test against, and repeats are copies. What may be another is rounding: the
    two are told apart where they differ, on average, by more than any two batches of one of them.
    """
    differ, parts = _between(a, b)
    moved = max(it.differ.most for it in floors)
    return Contrast(differ, parts, _own(floors), None, differ.mean <= moved)


def swapped(a: Sequence[Sample], b: Sequence[Sample]) -> Swaps:
    """Try the swaps of two samples; outputs without one of the same seed go in order."""
    pairs = _paired(a, b)
    places = range(len(pairs))
    gain = [[0.0] * len(pairs) for _ in places]
    for i, j in combinations(places, 2):
        (a_i, b_i), (a_j, b_j) = pairs[i], pairs[j]
        across = _apart(a_i, b_j) + _apart(b_i, a_j)
        gain[i][j] = gain[j][i] = across - _apart(a_i, a_j) - _apart(b_i, b_j)
    count = len(pairs)
    # A swap of i or j, not of both, turns what is across into what is within, and back.
    scale = 2 / (count * (count - 1)) if count > 1 else 0.0
    energies = [
        scale
        * sum(
            sign * _dot(signs, row, i)
            for i, (sign, row) in enumerate(zip(signs, gain, strict=True))
        )
        for signs in _signs(count)
    ]
    found = energies[0]
    return Swaps(found, len(energies), sum(it >= found - 1e-9 for it in energies))


def _dot(signs: Sequence[int], row: Sequence[float], end: int) -> float:
    return sum(map(mul, signs[:end], row))


def _signs(count: int) -> Iterator[Sequence[int]]:
    """For each swap −1 at the pairs that change places, else 1; the first changes nothing."""
    if count <= ALL_SWAPS:
        yield from ((1, *rest) for rest in product((1, -1), repeat=max(0, count - 1)))
        return
    draw = random.Random(0)
    yield [1] * count
    for _ in range(DRAWN_SWAPS - 1):
        yield [1 if draw.random() < 0.5 else -1 for _ in range(count)]


def _paired(a: Sequence[Sample], b: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """Those with the same seed, then the others in order."""
    seeds = {it.seed: it for it in b}
    both = [(it, seeds[it.seed]) for it in a if it.seed in seeds]
    taken = {it.seed for it, _ in both}
    rest = ([it for it in them if it.seed not in taken] for them in (a, b))
    return [*both, *zip(*rest, strict=False)]


def _between(a: Sequence[Sample], b: Sequence[Sample]) -> tuple[Spread, Spread | None]:
    pairs = [(one, two) for one, two in product(a, b) if one.seed != two.seed]
    return Spread.of(_apart(*pair) for pair in pairs), _parts(pairs)


def _own(floors: tuple[Floor, Floor]) -> tuple[float, float]:
    return floors[0].differ.mean, floors[1].differ.mean


@lru_cache(maxsize=4 * MOST * MOST)
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
    return {"outputs": it.outputs, **_document(it)}


def contrast_document(it: Contrast) -> dict[str, Any]:
    """A contrast in JSON."""
    swaps = it.swaps and {
        "energy": it.swaps.energy, "tried": it.swaps.tried, "as_far": it.swaps.as_far,
    }  # fmt: skip
    return {**_document(it), "swaps": swaps, "within_noise": it.within}


def _document(it: Floor | Contrast) -> dict[str, Any]:
    return {
        "pairs": len(it.differ.values),
        "differ": spread_document(it.differ),
        "parts": None if it.parts is None else spread_document(it.parts),
    }


def spread_document(it: Spread) -> dict[str, float]:
    """Range, median and mean in JSON."""
    return {"least": it.least, "median": it.median, "mean": it.mean, "most": it.most}
