"""Measures how often the statistics call a winner that is none, and how often intervals hold.

    .venv/bin/python -m benchmarks.decisions [-n SIMULATIONS]

Rows differ in difficulty: the chance to pass a row is drawn from a Beta distribution with mean p
(two pseudo-counts), once for all variants of a simulation. Each simulated evaluation is looked at
ten times on the way to the n planned rows, which are then tested once more exactly, and ten
more times while as many rows again are added. A few minutes on one core; tables in Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.graded import (
    REPEATS,
    score_counts,
    scores,
    scores_false,
    scores_tested,
    skewed,
    t_test,
)
from benchmarks.looks import LOOKS, Lines, Look, looks
from benchmarks.shares import Flags, Share, ever, share, table
from llamadiff.compare.statistics.anytime import p_value
from llamadiff.compare.statistics.means import bootstrap, wilson
from llamadiff.compare.statistics.once import compare_once, mcnemar
from llamadiff.compare.statistics.rows import Numbers, Pairs
from llamadiff.compare.statistics.verdict import ALPHA, ONCE

ROWS = (20, 50, 150, 500)
RATES = (0.5, 0.8, 0.95)
LOST_ROWS = (0.007, 0.02, 0.08, 0.26)
VARIANTS = 4
SETTINGS = 9
CHUNK = 1_000
SLOW = {20: 2_000, 50: 1_000, 150: 600, 500: 300}
"""Simulations by rows for what resamples or flips anew in each."""
OUTCOMES = np.array([-1.0, 0.0, 1.0])
LOST = 0.9
"""Intervals are tried on a variant whose chance on each row is this share of the other's."""
GAIN = 0.3
"""Winners are looked for with a variant that passes this share of what the baseline fails."""


def difficulty(rng: np.random.Generator, sims: int, rows: int, rate: float) -> Numbers:
    """The chance to pass, by simulation and row."""
    return rng.beta(2 * rate, 2 * (1 - rate), (sims, rows))


def passes(rng: np.random.Generator, chances: Numbers) -> Flags:
    return rng.random(chances.shape) < chances


@dataclass(frozen=True)
class Tossed:
    """Wins and losses on the same rows, by simulation and look."""

    wins: NDArray[np.int64]
    losses: NDArray[np.int64]

    @property
    def exact(self) -> Numbers:
        """McNemar's p-values, by simulation and look."""
        looks = range(self.wins.shape[1])
        pairs = ((self.wins[:, look], self.losses[:, look]) for look in looks)
        return np.stack([by_counts(mcnemar, *pair) for pair in pairs], axis=1)


def tossed(variant: Flags, baseline: Flags, rows: Sequence[Lines]) -> Tossed:
    """On the rows of each look."""
    wins, losses = variant & ~baseline, baseline & ~variant
    return Tossed(
        *(np.stack([it[:, at].sum(axis=1) for at in rows], axis=1) for it in (wins, losses))
    )


@dataclass(frozen=True)
class Looked:
    """What is seen at each look: of all `rows` and of those that were planned."""

    all: Tossed
    planned: Tossed
    complete: Flags
    rows: NDArray[np.int64]

    def anytime(self, mean: float = 0.0) -> Numbers:
        """Betting's p-values at every look."""
        return p_value(OUTCOMES, self.counts, mean)

    @property
    def counts(self) -> Numbers:
        wins, losses = self.all.wins, self.all.losses
        return np.stack([losses, self.rows - wins - losses, wins], axis=-1).astype(np.float64)

    @property
    def combined(self) -> Numbers:
        """What `decide` computes at every look."""
        p = self.anytime() / (1 - ONCE)
        lead = self.all.wins - self.all.losses
        leans = lead**2 > self.all.wins + self.all.losses
        same = lead * (self.planned.wins - self.planned.losses) > 0
        counts = leans & same & self.complete
        return np.where(counts, np.minimum(p, self.planned.exact / ONCE), p)


def looked(
    variant: Flags,
    baseline: Flags,
    rows: Sequence[Lines],
    planned: Sequence[Lines],
    complete: Flags,
) -> Looked:
    return Looked(
        tossed(variant, baseline, rows),
        tossed(variant, baseline, planned),
        complete,
        np.array([len(lines) for lines in rows]),
    )


def looked_at(variant: Flags, baseline: Flags, looks: Sequence[Look]) -> Looked:
    """On all rows."""
    lines, planned = [it.lines for it in looks], [it.planned for it in looks]
    return looked(variant, baseline, lines, planned, np.array([it.complete for it in looks]))


def by_counts(
    function: Callable[[int, int], float], wins: NDArray[np.int64], losses: NDArray[np.int64]
) -> Numbers:
    """The function of each pair of counts, computed once for each that occurs."""
    pairs, where = np.unique(np.stack([wins, losses]), axis=1, return_inverse=True)
    return np.array([function(int(w), int(k)) for w, k in pairs.T])[where.reshape(-1)]


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
    seen = looks(rows)
    by_number = [replace(it, planned=it.first) for it in seen]
    for count in chunks(sims):
        chances = difficulty(rng, count, 2 * rows, rate)
        baseline = passes(rng, chances)
        variants = [passes(rng, chances) for _ in range(VARIANTS)]
        each = [looked_at(it, baseline, seen) for it in variants]
        one, naive = each[0], each[0].all.exact[:, :LOOKS]
        better = passes(rng, chances + (1 - chances) * 0.5)
        family = np.stack([it.combined for it in each])
        mixed = np.stack([looked_at(better, baseline, seen).combined, *family[1:]])
        answers = {
            "exact test, 1 look": naive[:, -1] <= ALPHA,
            "exact test, 10 looks": ever(naive),
            "betting, 20 looks": ever(one.anytime()),
            "planned by number + betting, 20 looks": ever(
                looked_at(variants[0], baseline, by_number).combined
            ),
            "planned + betting, 20 looks": ever(family[0]),
            f"{VARIANTS} variants, Holm": holm_false(family, 0),
            f"{VARIANTS} variants, 1 better": holm_false(mixed, 1),
            **sweep(rng, chances, baseline, seen),
            "scores, t test, 1 look": scores_tested(rng, chances[:, :rows]),
            "scores, betting, 20 looks": scores_false(rng, chances),
        }
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    return {name: share(np.concatenate(flags)) for name, flags in found.items()}


def sweep(
    rng: np.random.Generator, chances: Numbers, baseline: Flags, seen: Sequence[Look]
) -> dict[str, Flags]:
    """The best of nine equal settings: believed on the rows it was chosen by, and confirmed on the
    other half of the rows by one choice made when the planned rows are there, as `choose` does."""
    settings = np.stack([passes(rng, chances) for _ in range(SETTINGS)])
    at = seen[LOOKS - 1]
    believed = picked(settings, at.lines)
    later, planned = seen[LOOKS - 1 :], set(at.planned)
    confirming = [it.confirming for it in later]
    kept = np.array([it for it in at.confirming if it in planned], dtype=np.intp)
    chosen = picked(settings, np.array([it for it in at.choosing if it in planned], dtype=np.intp))
    complete = np.ones(len(later), dtype=np.bool_)
    confirmed = looked(chosen, baseline, confirming, [kept] * len(later), complete)
    return {
        "best of 9, same rows": tossed(believed, baseline, [at.lines]).exact[:, 0] <= ALPHA,
        "best of 9, confirmed, 11 looks": ever(confirmed.combined),
    }


def picked(settings: NDArray[np.bool_], rows: Lines) -> Flags:
    """Of each simulation what passes with the setting that is best on these rows."""
    best = settings[:, :, rows].sum(axis=2).argmax(axis=0)
    return settings[best, np.arange(settings.shape[1])]


def coverage(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """How often 95 % intervals hold the true value: a rate, a mean score, and differences to a
    variant with LOST of the chance on each row."""
    true = rate * (1 - LOST)
    found: dict[str, list[Flags]] = {}
    for count in chunks(sims):
        chances = difficulty(rng, count, rows, rate)
        variant, baseline = passes(rng, chances), passes(rng, LOST * chances)
        compared = looked_at(variant, baseline, looks(rows)[:LOOKS])
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
                    true in compare_once(outcomes(wins, losses, rows)).interval
                ),
                compared.all.wins[:, -1],
                compared.all.losses[:, -1],
            ) > 0,
            "difference: betting, all 10 looks": ~ever(compared.anytime(true)),
            "score difference: betting, all 10 looks": ~ever(p_value(values, counts, true)),
        }  # fmt: skip
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    shares = {name: share(np.concatenate(flags)) for name, flags in found.items()}
    few = min(sims, SLOW[rows])
    chances = difficulty(rng, few, rows, rate)
    variant = scores(rng, chances) / REPEATS
    shares["mean score: BCa"] = share(np.array([rate in bootstrap(row) for row in variant]))
    return shares


def outcomes(wins: int, losses: int, rows: int) -> Pairs:
    return Pairs.of(
        np.repeat([1.0, -1.0, 0.0], [wins, losses, rows - wins - losses]), pass_fail=True
    )


def power(rng: np.random.Generator, sims: int, rows: int, rate: float) -> dict[str, Share]:
    """How often a better variant is found."""
    found: dict[str, list[Flags]] = {}
    for count in chunks(sims):
        chances = difficulty(rng, count, 2 * rows, rate)
        variant, baseline = passes(rng, chances + (1 - chances) * GAIN), passes(rng, chances)
        one = looked_at(variant, baseline, looks(rows))
        spread = scores(rng, chances + (1 - chances) * GAIN) - scores(rng, chances)
        values, counts = score_counts(spread, 2 * LOOKS)
        answers = {
            "exact test, 1 look": one.all.exact[:, LOOKS - 1] <= ALPHA,
            "planned + betting, by n": ever(one.combined[:, :LOOKS]),
            "betting, by n": ever(one.anytime()[:, :LOOKS]),
            "planned + betting, by 2 n": ever(one.combined),
            "betting, by 2 n": ever(one.anytime()),
            "planned + betting, standing at 2 n": one.combined[:, -1] <= ALPHA,
            "scores, t test, 1 look": t_test(values, counts[:, [LOOKS - 1]])[:, 0] <= ALPHA,
            "scores, betting, by n": ever(p_value(values, counts[:, :LOOKS])),
            "scores, betting, by 2 n": ever(p_value(values, counts)),
        }
        for name, flags in answers.items():
            found.setdefault(name, []).append(flags)
    return {name: share(np.concatenate(flags)) for name, flags in found.items()}


def chunks(sims: int) -> Iterator[int]:
    for start in range(0, sims, CHUNK):
        yield min(CHUNK, sims - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("-n", type=int, default=10_000, help="simulations per cell (10000)")
    sims = parser.parse_args().n

    def above(it: Share) -> bool:
        return it.above(ALPHA)

    kinds = (
        ("False winners in % (rows n, pass rate p)", false_winners, RATES, above),
        ("Errors with skewed scores in % (rows n, share lost)", skewed, LOST_ROWS, above),
        ("Coverage of 95 % intervals in % (rows n, pass rate p)", coverage, RATES, lambda s: Share(s.of - s.seen, s.of).above(ALPHA)),
        ("Winners found in % (rows n, pass rate p)", power, RATES, lambda s: False),
    )  # fmt: skip
    for title, measure, rates, bad in kinds:
        cells = {
            (rows, rate): measure(
                np.random.default_rng([rows, round(1000 * rate)]), sims, rows, rate
            )
            for rows in ROWS
            for rate in rates
        }
        table(title, cells, bad)


if __name__ == "__main__":
    main()
