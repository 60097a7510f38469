"""Makes the decision table out of an evaluation's answers. Not for the event loop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ....models.adapters.training import training_of
from ....models.errors import ModelError
from ....models.gguf.check import check_adapter
from ...checks.amounts import Length
from ...checks.result import Check, Result
from ...checks.structure import Json, Pattern, Schema
from ...checks.wording import OneOf
from ...statistics.figures import Estimate, Table
from ...statistics.means import estimate, estimate_amount
from ...statistics.noise import changing_rows
from ...statistics.ranking import Rating, rank
from ...statistics.verdict import ALPHA
from ...variants import StackedAdapter, Variant
from ..answers import Checked
from ..plan import Plan
from ..rows import ROW_KEY
from ..scoreboard import Pace
from ..variants import called
from .apart import apart_of, floors
from .choosing import Chosen, Scores, choose, compared
from .figures import Before, BreakEven, Decision, Elsewhere, Rated, Side, Trained, Tried
from .rules import Pair, rule
from .sides import KINDS, Kind, Sides, differing, sides_of, stack_of

Ratings = Callable[[], Sequence[Rating]]
"""Gives the blind ratings of an evaluation's answers, by variants' names; see `decision_of`."""


def chosen_of(plan: Plan, answers: Sequence[Checked]) -> Chosen | None:
    """What stands for each kind; None if there is nothing to decide between."""
    sides = sides_of(plan)
    if len(sides.variants) < 2:
        return None
    return choose(plan, sides, Scores(plan, answers))


def decision_of(
    plan: Plan,
    answers: Sequence[Checked],
    paces: Mapping[str, Pace] | None = None,
    elsewhere: Sequence[Elsewhere] = (),
    *,
    problems: Sequence[str] = (),
    adapters: Mapping[Path, Trained] | None = None,
    ratings: Ratings | None = None,
) -> Decision | None:
    """The table, or None if no variant differs from the baseline in its text or its adapters.

    `elsewhere` is what `run_elsewhere` gave, `adapters` what `adapters_of` did; without it the
    files are read. All pairs of kinds are compared, each at ALPHA by
    their number: the intervals hold together.
    """
    sides, scores = sides_of(plan), Scores(plan, answers)
    if len(sides.variants) < 2:
        return None
    chosen = choose(plan, sides, scores)
    kinds: list[Kind] = [kind for kind in KINDS if kind in chosen.variants]
    between: list[tuple[Kind, Kind]] = list(itertools.combinations(kinds, 2))
    alpha = ALPHA / len(between)

    def against(cheaper: Kind, costlier: Kind) -> Pair:
        pair = (chosen.variants[cheaper], chosen.variants[costlier])
        return Pair(cheaper, costlier, compared(plan, chosen, scores, pair, chosen.rows, alpha))

    pairs = {pair: against(*pair) for pair in between}
    rated = _rated(ratings, chosen)
    adapters = adapters_of(plan) if adapters is None else adapters
    maker = _Maker(plan, sides, scores, chosen, paces or {}, elsewhere, adapters, rated)
    return Decision(
        tuple(maker.side(kind) for kind in kinds),
        tuple(pairs.values()),
        rule(kinds, pairs),
        len(chosen.rows),
        len(chosen.chosen_on),
        chosen.unused,
        chosen.waits_for,
        chosen.share,
        plan.suite.margin,
        1 - ALPHA,
        (*sides.left_out, *_gone(plan, chosen, between), *_trained_on(plan, adapters), *problems),
        apart_of(plan, chosen, scores, between, alpha),
        tuple(_before(plan, sides, chosen, scores)),
    )


class _Maker:
    """Makes the sides."""

    def __init__(
        self,
        plan: Plan,
        sides: Sides,
        scores: Scores,
        chosen: Chosen,
        paces: Mapping[str, Pace],
        elsewhere: Sequence[Elsewhere],
        adapters: Mapping[Path, Trained],
        rated: Mapping[str, Rated],
    ) -> None:
        self._plan, self._sides, self._scores = plan, sides, scores
        self._chosen, self._paces, self._rated = chosen, paces, rated
        self._elsewhere, self._adapters = elsewhere, adapters

    def side(self, kind: Kind) -> Side:
        plan, variant = self._plan, self._chosen.variants[kind]
        rows = self._chosen.rows
        table = self._scores.table(variant, rows)
        stack = stack_of(variant)
        seconds = [it for it in self._seconds(variant) if it is not None]
        trained = self._trained(variant)
        return Side(
            kind,
            variant.name,
            called(variant),
            variant.prompt.name,
            variant.stack,
            differing(variant, plan.baseline),
            len(variant.prompt.examples),
            tuple(self._tried(it) for it in self._sides.variants[kind]),
            trained,
            estimate(table),
            estimate(self._scores.passes(variant, rows)),
            estimate_amount(self._tokens(variant)) or estimate(()),
            estimate_amount(seconds),
            self._violations(variant, rows),
            estimate(changing_rows(table)) if plan.repeats > 1 else None,
            floors({kind: table}, plan.repeats)[kind],
            self._break_even(variant, trained) if stack else (),
            tuple(it for it in self._elsewhere if it.stack == stack_name(stack)),
            self._rated.get(variant.name),
            kind == self._sides.settled and len(self._sides.variants[kind]) > 1,
        )

    def _tried(self, variant: Variant) -> Tried:
        rows = self._chosen.chosen_on or self._chosen.rows
        return Tried(
            variant.name,
            called(variant),
            estimate(self._scores.table(variant, rows)),
            len(variant.prompt.examples),
            _rows_trained(self._trained(variant)),
        )

    def _trained(self, variant: Variant) -> tuple[Trained, ...]:
        return tuple(self._adapters[it.path] for it in stack_of(variant))

    def _tokens(self, variant: Variant) -> list[float]:
        """Of each row's prompt, where all variants that stand for a kind have one."""
        first = ((row, self._scores.answers(variant, row)[0]) for row in self._scores.rows)
        return [float(it.prompt_tokens) for _, it in first if it.prompt_tokens is not None]

    def _seconds(self, variant: Variant) -> Sequence[float | None]:
        pace = self._paces.get(variant.name)
        return pace.seconds if pace else ()

    def _violations(self, variant: Variant, rows: Sequence[int]) -> Estimate | None:
        checks = [it.check for it in self._plan.suite.checks]
        if not any(is_form(it) for it in checks):
            return None
        table: Table = [
            [
                float(any(map(_breaks_form, checks, it.results)))
                for it in self._scores.answers(variant, row)
                if it.error is None and it.results
            ]
            for row in rows
        ]
        return estimate(table)

    def _break_even(self, variant: Variant, trained: Sequence[Trained]) -> tuple[BreakEven, ...]:
        """Against what stands for prompting, else against the baseline."""
        variants = self._chosen.variants
        other = variants.get("prompted", variants["plain"])
        found: list[BreakEven] = []
        spent = [it.training.seconds for it in trained]
        both = zip(self._seconds(other), self._seconds(variant), strict=False)
        saved = estimate_amount([a - b for a, b in both if a is not None and b is not None])
        known = [it for it in spent if it is not None]
        if saved is not None and len(known) == len(spent):
            found.append(BreakEven("seconds", sum(known), saved))
        tokens = [it.training.tokens for it in trained]
        saved = estimate_amount(self._saved_tokens(other, variant))
        counted = [it for it in tokens if it is not None]
        if saved is not None and len(counted) == len(tokens):
            found.append(BreakEven("prompt tokens", sum(counted), saved))
        return tuple(found)

    def _saved_tokens(self, other: Variant, variant: Variant) -> list[float]:
        pairs = (
            (self._scores.answers(other, row)[0], self._scores.answers(variant, row)[0])
            for row in self._scores.rows
        )
        return [
            float(a.prompt_tokens - b.prompt_tokens)
            for a, b in pairs
            if a.prompt_tokens is not None and b.prompt_tokens is not None
        ]


# ----------------------------------------------------------------------------- parts


def is_form(check: Check) -> bool:
    """Whether it is about the form of an answer."""
    return isinstance(check, OneOf | Json | Schema | Length | Pattern)


def _breaks_form(check: Check, result: Result) -> bool:
    if isinstance(check, OneOf):
        return check.broke_form(result)
    return is_form(check) and result.score is not None and result.score < 1


def stack_name(stack: Sequence[StackedAdapter]) -> str:
    return "+".join(map(str, stack)) or "base"


def adapters_of(plan: Plan) -> dict[Path, Trained]:
    """What the files of a plan's adapters say of how they were made."""
    used = {it.path: it for variant in plan.variants for it in variant.adapters}
    return {path: _trained(it) for path, it in used.items()}


def _trained(adapter: StackedAdapter) -> Trained:
    path: Path = adapter.path
    training = training_of(path)
    try:
        facts = check_adapter(path)
    except ModelError:
        return Trained(adapter.name, None, training.parameters, training)
    return Trained(adapter.name, facts.bytes, facts.parameters, training)


def _gone(plan: Plan, chosen: Chosen, between: Sequence[tuple[Kind, Kind]]) -> list[str]:
    """A sentence for each plan of a comparison of which rows are gone."""
    settled = (plan.settled_for(*(chosen.variants[it] for it in pair)) for pair in between)
    return list(dict.fromkeys(it.said_of_gone for it in settled if it.gone))


def _trained_on(plan: Plan, adapters: Mapping[Path, Trained]) -> Iterator[str]:
    """A sentence for each adapter that was trained on rows of the suite."""
    for it in adapters.values():
        keys = set(it.training.data_keys)
        met = sum(row.key in keys or row.values.get(ROW_KEY) in keys for row in plan.rows)
        if met:
            yield (
                f"{it.name} was trained on {met:,} of the {len(plan.rows):,} rows: what it scores "
                "there says nothing of other rows."
            )


def _rows_trained(trained: Sequence[Trained]) -> int | None:
    """Of a stack the sum; None if one does not say, 0 without adapters."""
    rows = [it.training.rows for it in trained]
    known = [it for it in rows if it is not None]
    return sum(known) if len(known) == len(rows) else None


def _before(plan: Plan, sides: Sides, chosen: Chosen, scores: Scores) -> Iterator[Before]:
    """What was trained beside each variant of its kind that has another adapter; the new adapter alone
    where nothing of that kind has it."""
    there: list[tuple[Kind, Variant]] = [
        (kind if kind in chosen.variants else "tuned", it)
        for kind, them in sides.before.items()
        for it in them
    ]
    for kind, it in there:
        pair = (it, chosen.variants[kind])
        found = compared(plan, chosen, scores, pair, chosen.rows, ALPHA / len(there))
        yield Before(kind, it.name, called(it), found)


def _rated(ratings: Ratings | None, chosen: Chosen) -> dict[str, Rated]:
    names = {it.name for it in chosen.variants.values()}
    given = [it for it in (ratings() if ratings else ()) if {it.first, it.second} <= names]
    return {
        it.name: Rated(
            count := sum(it.name in (each.first, each.second) for each in given),
            Estimate(it.chance, it.chance_interval, count, "Bradley–Terry–Davidson"),
        )
        for it in rank(given)
    }
