"""Measures how often the statistics call a winner that is none, and how often intervals hold.

    .venv/bin/python benchmarks/decisions.py [-n SIMULATIONS]

Rows differ in difficulty: the chance to pass a row is drawn from a Beta distribution with mean p
(two pseudo-counts), once for all variants of a simulation. Each simulated evaluation is looked at
ten times on the way to n rows, where a planned number of rows is tested once more exactly, and ten
more times while as many rows again are added. A few minutes on one core; tables in Markdown.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamadiff.compare.statistics.anytime import p_value
from llamadiff.compare.statistics.means import bootstrap, wilson
from llamadiff.compare.statistics.once import compare_once, mcnemar, sign_flip
from llamadiff.compare.statistics.rows import Numbers, Pairs
from llamadiff.compare.statistics.splitting import split
from llamadiff.compare.statistics.verdict import ALPHA, ONCE

ROWS = (20, 50, 150, 500)
RATES = (0.5, 0.8, 0.95)
LOOKS = 10
VARIANTS = 4
SETTINGS = 9
REPEATS = 3
CHUNK = 1_000
SLOW = {20: 2_000, 50: 1_000, 150: 600, 500: 300}
"""Simulations by rows for what resamples or flips anew in each."""
OUTCOMES = np.array([-1.0, 0.0, 1.0])
LOST = 0.9
"""Intervals are tried on a variant whose chance on each row is this share of the other's."""
GAIN = 0.3
"""Winners are looked for with a variant that passes this share of what the baseline fails."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """How often something was seen."""

    seen: int
    of: int

    @property
    def value(self) -> float:
        return self.seen / self.of

    def above(self, rate: float) -> bool:
        """Whether it is more than `rate` by three standard errors of the simulation or more."""
        return self.value > rate + 3 * math.sqrt(rate * (1 - rate) / self.of)

    def __str__(self) -> str:
        return f"{100 * self.value:.1f}"


def share(flags: Flags) -> Share:
    return Share(int(flags.sum()), len(flags))


def difficulty(rng: np.random.Generator, sims: int, rows: int, rate: float) -> Numbers:
    """The chance to pass, by simulation and row."""
    return rng.beta(2 * rate, 2 * (1 - rate), (sims, rows))


def passes(rng: np.random.Generator, chances: Numbers) -> Flags:
    return rng.random(chances.shape) < chances


def at_looks(flags: Flags, looks: int) -> NDArray[np.int64]:
    """How many of the rows so far, at each of `looks` looks: simulations by looks."""
    ends = np.linspace(0, flags.shape[1], looks + 1).round().astype(int)[1:]
    return flags.cumsum(axis=1)[:, ends - 1]


@dataclass(frozen=True)
class Looked:
    """Wins and losses of a variant at each look, and the rows by then."""

    wins: NDArray[np.int64]
    losses: NDArray[np.int64]
    rows: NDArray[np.int64]

    def once(self, look: int = -1) -> Numbers:
        """The exact test's p-values at one look."""
        return by_counts(mcnemar, self.wins[:, look], self.losses[:, look])

    def anytime(self, mean: float = 0.0) -> Numbers:
        """Betting's p-values at every look."""
        return p_value(OUTCOMES, self.counts, mean)

    @property
    def counts(self) -> Numbers:
        ties = self.rows - self.wins - self.losses
        return np.stack([self.losses, ties, self.wins], axis=-1).astype(np.float64)

    def planned(self, look: int) -> Numbers:
        """What `decide` computes at every look if the rows at `look` were planned."""
        p = self.anytime() / (1 - ONCE)
        lead = self.wins - self.losses
        counts = (lead * lead[:, [look]] > 0) & (self.rows >= self.rows[look])
        return np.where(counts, np.minimum(p, self.once(look)[:, None] / ONCE), p)


def looked(variant: Flags, baseline: Flags, looks: int = LOOKS) -> Looked:
    rows = np.linspace(0, variant.shape[1], looks + 1).round().astype(int)[1:]
    return Looked(at_looks(variant & ~baseline, looks), at_looks(baseline & ~variant, looks), rows)


def by_counts(
    function: Callable[[int, int], float], wins: NDArray[np.int64], losses: NDArray[np.int64]
) -> Numbers:
    """The function of each pair of counts, computed once for each that occurs."""
    pairs, where = np.unique(np.stack([wins, losses]), axis=1, return_inverse=True)
    return np.array([function(int(w), int(k)) for w, k in pairs.T])[where.reshape(-1)]


def ever(p_values: Numbers, alpha: float = ALPHA) -> Flags:
    """Whether a winner was called at any look."""
    return (p_values <= alpha).any(axis=1)


def holm_false(p_values: Numbers, true: int) -> Flags:
    """Whether at any look Holm's steps come to a variant that is no better: variants by simulations
    by looks, of which the first `true` are better and never false."""
    order = np.argsort(p_values, axis=0)
    count = len(p_values)
    ranked = np.take_along_axis(p_values, order, axis=0)
    limits = ALPHA / (count - np.arange(count))[:, None, None]
    reached = np.logical_and.accumulate(ranked <= limits, axis=0)
    return (reached & (order >= true)).any(axis=(0, 2))


def false_winners(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """Of variants that pass every row with the same chance: how often one is called better."""
    found: dict[str, list[Flags]] = {}
    for count in chunks(sims):
        chances = difficulty(rng, count, 2 * rows, rate)
        baseline = passes(rng, chances)
        each = [looked(passes(rng, chances), baseline, 2 * LOOKS) for _ in range(VARIANTS)]
        half = LOOKS - 1
        one = each[0]
        naive = np.stack([one.once(look) for look in range(LOOKS)], axis=1)
        better = passes(rng, chances + (1 - chances) * 0.5)
        family = np.stack([one.planned(half) for one in each])
        mixed = np.stack([looked(better, baseline, 2 * LOOKS).planned(half), *family[1:]])
        answers = {
            "exact test, 1 look": one.once(half) <= ALPHA,
            "exact test, 10 looks": ever(naive),
            "betting, 20 looks": ever(one.anytime()),
            "planned + betting, 20 looks": ever(family[0]),
            f"{VARIANTS} variants, Holm": holm_false(family, 0),
            f"{VARIANTS} variants, 1 better": holm_false(mixed, 1),
            **sweep(rng, chances[:, :rows], baseline[:, :rows]),
            "scores, betting, 20 looks": scores_false(rng, chances),
        }
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    shares = {name: share(np.concatenate(flags)) for name, flags in found.items()}
    few = min(sims, SLOW[rows])
    chances = difficulty(rng, few, rows, rate)
    differences = (scores(rng, chances) - scores(rng, chances)) / REPEATS
    p_values = np.array([sign_flip(row)[0] for row in differences])
    shares["scores, sign flips, 1 look"] = share(p_values <= ALPHA)
    return shares


def sweep(rng: np.random.Generator, chances: Numbers, baseline: Flags) -> dict[str, Flags]:
    """The best of nine equal settings: believed on the rows it was chosen by, and confirmed."""
    rows = chances.shape[1]
    sides = split([str(row) for row in range(rows)])
    choosing, confirming = list(sides.choosing), list(sides.confirming)
    settings = np.stack([passes(rng, chances) for _ in range(SETTINGS)])
    every = np.arange(len(baseline))
    believed = settings[settings.sum(axis=2).argmax(axis=0), every]
    chosen = settings[settings[:, :, choosing].sum(axis=2).argmax(axis=0), every]
    confirmed = looked(chosen[:, confirming], baseline[:, confirming])
    same_rows = looked(believed, baseline)
    return {
        "best of 9, same rows": same_rows.once() <= ALPHA,
        "best of 9, confirmed": ever(confirmed.planned(LOOKS - 1)),
    }


def scores(rng: np.random.Generator, chances: Numbers) -> NDArray[np.int64]:
    """Passes of the repeats of each row."""
    return rng.binomial(REPEATS, chances)


def score_counts(differences: NDArray[np.int64], looks: int) -> tuple[Numbers, Numbers]:
    """The differences of mean scores that can be, and how many of each at each look."""
    kinds = np.arange(-REPEATS, REPEATS + 1)
    counts = np.stack([at_looks(differences == kind, looks) for kind in kinds], axis=-1)
    return kinds / REPEATS, counts.astype(np.float64)


def scores_false(rng: np.random.Generator, chances: Numbers) -> Flags:
    differences = scores(rng, chances) - scores(rng, chances)
    return ever(p_value(*score_counts(differences, 2 * LOOKS)))


def coverage(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """How often 95 % intervals hold the true value: a rate, a mean score, and differences to a
    variant with LOST of the chance on each row."""
    true = rate * (1 - LOST)
    found: dict[str, list[Flags]] = {}
    for count in chunks(sims):
        chances = difficulty(rng, count, rows, rate)
        variant, baseline = passes(rng, chances), passes(rng, LOST * chances)
        compared = looked(variant, baseline)
        spread = scores(rng, chances) - scores(rng, LOST * chances)
        values, counts = score_counts(spread, LOOKS)
        answers = {
            "rate: Wilson": by_counts(
                lambda passed, _: float(rate in wilson(passed, rows)),
                variant.sum(axis=1),
                np.zeros(count, dtype=np.int64),
            ) > 0,
            "difference: Tango": by_counts(
                lambda wins, losses: float(
                    true in compare_once(Pairs(outcomes(wins, losses, rows), True)).interval
                ),
                compared.wins[:, -1],
                compared.losses[:, -1],
            ) > 0,
            "difference: betting, all 10 looks": ~ever(compared.anytime(true)),
            "score difference: betting, all 10 looks": ~ever(p_value(values, counts, true)),
        }  # fmt: skip
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    shares = {name: share(np.concatenate(flags)) for name, flags in found.items()}
    few = min(sims, SLOW[rows])
    chances = difficulty(rng, few, rows, rate)
    variant, baseline = scores(rng, chances) / REPEATS, scores(rng, LOST * chances) / REPEATS
    shares["mean score: BCa"] = share(np.array([rate in bootstrap(row) for row in variant]))
    shares["score difference: sign flips"] = share(
        np.array(
            [
                true in compare_once(Pairs(row, False)).interval
                for row in np.round(variant - baseline, 12)
            ]
        )
    )
    return shares


def outcomes(wins: int, losses: int, rows: int) -> Numbers:
    return np.repeat([1.0, -1.0, 0.0], [wins, losses, rows - wins - losses])


def power(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """How often a better variant is found."""
    found: dict[str, list[Flags]] = {}
    for count in chunks(sims):
        chances = difficulty(rng, count, 2 * rows, rate)
        variant, baseline = passes(rng, chances + (1 - chances) * GAIN), passes(rng, chances)
        one = looked(variant, baseline, 2 * LOOKS)
        half = LOOKS - 1
        answers = {
            "exact test, 1 look": one.once(half) <= ALPHA,
            "planned + betting, by n": ever(one.planned(half)[:, :LOOKS]),
            "betting, by n": ever(one.anytime()[:, :LOOKS]),
            "planned + betting, by 2 n": ever(one.planned(half)),
            "betting, by 2 n": ever(one.anytime()),
        }
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    return {name: share(np.concatenate(flags)) for name, flags in found.items()}


def chunks(sims: int) -> Iterator[int]:
    for start in range(0, sims, CHUNK):
        yield min(CHUNK, sims - start)


def table(
    title: str, cells: dict[tuple[int, float], dict[str, Share]], bad: Callable[[Share], bool]
) -> None:
    """Methods down, cells across; what `bad` says is marked."""
    print(f"\n{title}\n")
    print("| | " + " | ".join(f"{rows}, {rate:g}" for rows, rate in cells) + " |")
    print("|---|" + "---|" * len(cells))
    for name in next(iter(cells.values())):
        shares = [cell[name] for cell in cells.values()]
        print(f"| {name} | " + " | ".join(f"{s}{' !' if bad(s) else ''}" for s in shares) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("-n", type=int, default=10_000, help="simulations per cell (10000)")
    sims = parser.parse_args().n
    kinds = (
        ("False winners in %", false_winners, lambda s: s.above(ALPHA)),
        ("Coverage of 95 % intervals in %", coverage, lambda s: Share(s.of - s.seen, s.of).above(ALPHA)),
        ("Winners found in %", power, lambda s: False),
    )  # fmt: skip
    for title, measure, bad in kinds:
        cells = {
            (rows, rate): measure(
                np.random.default_rng([rows, round(100 * rate)]), sims, rows, rate
            )
            for rows in ROWS
            for rate in RATES
        }
        table(f"{title} (rows n, pass rate p)", cells, bad)


if __name__ == "__main__":
    main()
