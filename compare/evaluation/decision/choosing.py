"""The one variant that stands for each kind, and the rows it is compared on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...statistics.figures import Table
from ...statistics.splitting import best, chooses
from ...statistics.verdict import Verdict, decide
from ...variants import Variant
from ..answers import Checked, counted
from ..plan import Plan
from ..questions import asked_columns, halves
from ..rows import content_of
from ..settled import Settled
from .sides import KINDS, Kind, Sides


@dataclass(frozen=True)
class Chosen:
    """`variants` stand for their kinds. `rows` (places in the plan) are those they are compared on.

    `chosen_on` are the rows by which one of several was picked, none where no kind has several: the
    others are then all rows that every variant has answered. While `waits_for` planned rows are
    missing nothing is picked for good, and nothing is to be compared. `unused` rows of the half that
    picks were not planned for it. `halves` says by the keys of rows which half they are of, drawn by
    what these `columns` say.
    """

    variants: dict[Kind, Variant]
    rows: tuple[int, ...]
    chosen_on: tuple[int, ...] = ()
    waits_for: int = 0
    unused: int = 0
    halves: Mapping[str, bool] = field(default_factory=dict[str, bool])
    columns: frozenset[str] = frozenset()

    @property
    def share(self) -> float:
        """The part of the rows that is compared on."""
        return 0.5 if self.chosen_on or self.waits_for else 1.0


class Scores:
    """The scores and answers of an evaluation, by variant and row."""

    def __init__(self, plan: Plan, answers: Sequence[Checked]) -> None:
        found = {answer.place: answer for answer in answers}
        self._found = found
        self._repeats = range(plan.repeats)
        self._answered = {it.row for it in answers if it.error is None}
        self.rows = tuple(
            row
            for row in range(len(plan.rows))
            if all((row, it.name, i) in found for it in plan.variants for i in self._repeats)
        )

    def answers(self, variant: Variant, row: int) -> list[Checked]:
        return [self._found[row, variant.name, i] for i in self._repeats]

    def table(self, variant: Variant, rows: Sequence[int]) -> Table:
        """Its scores on these rows."""
        return [counted(self.answers(variant, row), row in self._answered) for row in rows]

    def passes(self, variant: Variant, rows: Sequence[int]) -> Table:
        """1 for an answer that lacks nothing, else 0."""
        return [[float(score == 1) for score in row] for row in self.table(variant, rows)]


def choose(plan: Plan, sides: Sides, scores: Scores) -> Chosen:
    """With several of a kind the best on one half of the rows stands for it, the first of equals,
    and all kinds are compared on the other half; else, and where it is settled which one of them
    stands for it, on all rows.

    It is picked by the rows alone that were planned when all of the several were first compared,
    once they are there: the same at every later look, whatever is added.
    """
    several = [it for kind, them in sides.variants.items() if sides.several(kind) for it in them]
    settled: dict[Kind, Variant] = {
        kind: them[-1] for kind, them in sides.variants.items() if not sides.several(kind)
    }
    if not several:
        return Chosen(settled, scores.rows)
    of = halves(plan.rows, several)
    half = _half(_newest(plan, several), of, choosing=True)
    choosing = [row for row in scores.rows if of[plan.rows[row].key]]
    chosen_on = tuple(row for row in choosing if plan.rows[row].key in half.keys)
    variants: dict[Kind, Variant] = {}
    for kind in KINDS:
        if kind in settled:
            variants[kind] = settled[kind]
        elif them := sides.variants.get(kind):
            variants[kind] = them[_best(them, scores, chosen_on)]
    return Chosen(
        variants,
        tuple(row for row in scores.rows if not of[plan.rows[row].key]),
        chosen_on,
        half.to_run - len(chosen_on),
        len(choosing) - len(chosen_on),
        of,
        asked_columns(several, plan.rows),
    )


def compared(
    plan: Plan,
    chosen: Chosen,
    scores: Scores,
    pair: tuple[Variant, Variant],
    rows: Sequence[int],
    alpha: float,
) -> Verdict:
    """The second variant against the first on these rows: all that the kinds are compared on, or some
    of them, which are tested once no planned one is missing."""
    margin = plan.suite.margin
    if chosen.waits_for:
        return decide((), (), alpha=alpha, margin=margin)
    settled = plan.settled_for(*pair)
    if chosen.chosen_on:
        same = asked_columns(pair, plan.rows) == chosen.columns
        settled = _half(settled, chosen.halves, choosing=False, drawn=same)
    to_come = settled.among([plan.rows[row].key for row in chosen.rows]).to_come
    planned = replace(settled.among([plan.rows[row].key for row in rows]), to_come=to_come)
    before, after = (scores.table(it, rows) for it in pair)
    return decide(after, before, planned=planned, alpha=alpha, margin=margin)


def _newest(plan: Plan, several: Sequence[Variant]) -> Settled:
    """What was planned last of the comparisons among these: then all of them were there."""
    found = [plan.settled_for(*pair) for pair in itertools.combinations(several, 2)]
    return max(found, key=lambda it: math.inf if it.number is None else it.number)


def _half(
    settled: Settled, of: Mapping[str, bool], *, choosing: bool, drawn: bool = True
) -> Settled:
    """Those rows that are for choosing, or for confirming, as far as `of` knows; of others half,
    rounded up. Rows that are gone are on the side that their question drew; where it is not what was
    `drawn` by, all may be of this one."""
    gone = {key: chooses(content_of(key)) if drawn else choosing for key in settled.gone}
    known = {key: of.get(key, gone.get(key)) for key in settled.keys}
    keys = frozenset(key for key, side in known.items() if side is choosing)
    unknown = settled.count - sum(side is not None for side in known.values())
    return replace(settled, keys=keys, count=len(keys) + -(-unknown // 2), gone=settled.gone & keys)


def _best(them: Sequence[Variant], scores: Scores, rows: Sequence[int]) -> int:
    try:
        return best([scores.table(it, rows) for it in them])
    except ValueError:
        return 0
