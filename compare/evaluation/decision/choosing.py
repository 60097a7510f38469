"""The one variant that stands for each kind, and the rows it is compared on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ...statistics.figures import Table
from ...statistics.splitting import best, split
from ...variants import Variant
from ..answers import Checked, counted
from ..plan import Plan
from .sides import KINDS, Kind, Sides


@dataclass(frozen=True)
class Chosen:
    """`variants` stand for their kinds. `rows` (places in the plan) are those they are compared on,
    `planned` how many of them were settled beforehand.

    `chosen_on` are the rows by which one of several was picked, none where no kind has several: the
    others are then all rows that every variant has answered. `share` is the part of the rows that
    is compared on.
    """

    variants: dict[Kind, Variant]
    rows: tuple[int, ...]
    planned: int
    chosen_on: tuple[int, ...] = ()

    @property
    def share(self) -> float:
        return 0.5 if self.chosen_on else 1.0


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
    and all kinds are compared on the other half; else on all rows."""
    several = any(len(them) > 1 for them in sides.variants.values())
    rows, planned = scores.rows, plan.planned
    chosen_on: tuple[int, ...] = ()
    if several:
        sidewise = split([_content(plan, row) for row in range(len(plan.rows))])
        there = set(rows)
        chosen_on = tuple(row for row in sidewise.choosing if row in there)
        rows = tuple(row for row in sidewise.confirming if row in there)
        beyond = max(0, plan.planned - len(plan.rows))
        planned = sum(row < plan.planned for row in sidewise.confirming) + -(-beyond // 2)
    variants: dict[Kind, Variant] = {}
    for kind in KINDS:
        if them := sides.variants.get(kind):
            variants[kind] = them[0 if len(them) == 1 else _best(them, scores, chosen_on)]
    return Chosen(variants, rows, planned, chosen_on)


def _best(them: Sequence[Variant], scores: Scores, rows: Sequence[int]) -> int:
    try:
        return best([scores.table(it, rows) for it in them])
    except ValueError:
        return 0


def _content(plan: Plan, row: int) -> str:
    """The same for equal rows."""
    it = plan.rows[row]
    return json.dumps([sorted(it.values.items()), it.expected])
