"""From rows and variants to a plan: which rows were planned before, which are planned now, and in
what order they are run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...models.engine.protocol import ModelSettings
from ..variants import Variant
from .comparisons import comparisons
from .plan import Plan
from .rows import SuiteRow
from .settled import Names, Settled
from .suite import Suite
from .variants import baseline_of

if TYPE_CHECKING:
    from ..history.evaluations import Evaluations


def make_plan(
    suite: Suite,
    variants: Sequence[Variant],
    rows: Sequence[SuiteRow],
    settings: ModelSettings,
    *,
    kept: Evaluations | None = None,
    limit: int | None = None,
    exact: bool = False,
    judges: Mapping[str, Variant] | None = None,
) -> Plan:
    """The plan for all `rows` of the dataset, of which `limit` are run.

    For two variants that were compared before, `kept` knows the rows that were planned: those stay,
    and are run first, whatever was added. For others the suite's number of rows is planned now, of
    those that come first, or all that it takes of the dataset. Reads files and the history.
    """
    baseline = baseline_of(suite, variants)
    found = comparisons(variants, suite.dataset.where)
    before = kept.settled(found.values(), [row.key for row in rows]) if kept is not None else {}
    earlier = {names: before[mark] for names, mark in found.items() if mark in before}
    ordered = _ordered(rows, earlier.values())[: suite.dataset.sample]
    earlier = {names: _filled(it, ordered) for names, it in earlier.items()}
    count = suite.planned or len(ordered)
    fresh = Settled(frozenset(row.key for row in ordered[:count]), count)
    planned = _main(baseline, earlier) or fresh
    if (fresh.keys, fresh.count) == (planned.keys, planned.count):
        fresh = planned
    of_pairs = {names: earlier.get(names, fresh) for names in found}
    return Plan(
        suite,
        tuple(variants),
        baseline,
        tuple(ordered[:limit]),
        planned,
        settings,
        exact or suite.exact,
        judges or {},
        {names: it for names, it in of_pairs.items() if it != planned},
        _notes(planned, len(ordered)),
    )


def _ordered(rows: Sequence[SuiteRow], earlier: Iterable[Settled]) -> list[SuiteRow]:
    """What was planned before comes first, the oldest plan's rows before others; else as given."""
    plans = [it.keys for it in sorted(set(earlier), key=_age)]
    return sorted(rows, key=lambda row: [row.key not in keys for keys in plans])


def _filled(it: Settled, rows: Sequence[SuiteRow]) -> Settled:
    """With rows in the places of those that were still to be added when it was planned."""
    new = [row.key for row in rows if row.key not in it.keys]
    return replace(it, keys=it.keys | set(new[: it.count - len(it.keys)]))


def _main(baseline: Variant, earlier: Mapping[Names, Settled]) -> Settled | None:
    """What was planned first of what is compared with the baseline."""
    against = [it for names, it in earlier.items() if baseline.name in names]
    return min(against, key=_age, default=None)


def _age(it: Settled) -> int:
    return it.number or 0


def _notes(planned: Settled, rows: int) -> tuple[str, ...]:
    said = (
        f"{planned.count:,} rows were planned when these variants were first compared; that stays, "
        "so that looking again buys no winner."
    )
    stays = planned.number is not None and planned.to_run != rows
    return tuple(filter(None, (said if stays else "", planned.said_of_gone)))
