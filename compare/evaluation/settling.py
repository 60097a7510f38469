"""From rows and variants to a plan: which rows were planned before, which are planned now, and in
what order they are run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...models.engine.protocol import ModelSettings
from ..variants import Variant
from .comparisons import comparisons
from .plan import Plan
from .questions import asked_columns, question_keys
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
    pairs = _pairs(suite, variants, rows)
    asked = {it.mark: [*it.keys, *it.keys.values()] for it in pairs.values()}
    before = kept.settled(asked) if kept is not None else {}
    fitting = {mark: it for mark, it in before.items() if it.fits}
    earlier = {
        names: _here(fitting[it.mark], it.keys)
        for names, it in pairs.items()
        if it.mark in fitting
    }  # fmt: skip
    ordered = _ordered(rows, earlier.values())[: suite.dataset.sample]
    earlier = {names: _filled(it, ordered) for names, it in earlier.items()}
    count = suite.planned or len(ordered)
    fresh = Settled(frozenset(row.key for row in ordered[:count]), count)
    planned = _main(baseline, earlier) or fresh
    of_pairs = {names: earlier.get(names, fresh) for names in pairs}
    unfit = [it for mark, it in before.items() if mark not in fitting]
    return Plan(
        suite,
        tuple(variants),
        baseline,
        tuple(ordered[:limit]),
        planned,
        settings,
        exact or suite.exact,
        judges or {},
        {names: it for names, it in of_pairs.items() if not it.same(planned)},
        _notes(planned, len(ordered), unfit),
        {
            it.mark: _to_keep(of_pairs[names], fitting.get(it.mark), it.keys)
            for names, it in pairs.items()
        },
    )


@dataclass(frozen=True)
class _Pair:
    """Two variants that are compared: the hash of that, and by the key of each row the one by which
    the history knows it."""

    mark: str
    keys: Mapping[str, str]


def _pairs(
    suite: Suite, variants: Sequence[Variant], rows: Sequence[SuiteRow]
) -> dict[Names, _Pair]:
    """A row is known again by what the two are asked of it, not by what others are."""
    known: dict[frozenset[str], Mapping[str, str]] = {}
    by_name = {it.name: it for it in variants}
    found: dict[Names, _Pair] = {}
    for names, mark in comparisons(variants, suite.dataset.where).items():
        columns = asked_columns((by_name[name] for name in names), rows)
        if columns not in known:
            known[columns] = question_keys(rows, columns)
        found[names] = _Pair(mark, known[columns])
    return found


def _here(it: Settled, keys: Mapping[str, str]) -> Settled:
    """With the keys of the rows that are there. Earlier versions kept those themselves."""
    there = {key for key, asked in keys.items() if asked in it.keys or key in it.keys}
    return replace(it, keys=it.gone | there)


def _to_keep(it: Settled, before: Settled | None, keys: Mapping[str, str]) -> Settled:
    """With the keys by which the history knows the rows, those that it has as they are. What earlier
    versions planned is one plan for comparisons that ask otherwise, and stays with their keys."""
    if before is None:
        return replace(it, keys=frozenset(keys[key] for key in it.keys))
    new = it.keys - _here(before, keys).keys
    whole = not before.keys.isdisjoint(keys)
    return replace(before, keys=before.keys | (new if whole else {keys[key] for key in new}))


def _ordered(rows: Sequence[SuiteRow], earlier: Iterable[Settled]) -> list[SuiteRow]:
    """What was planned before comes first, the oldest plan's rows before others; else as given."""
    plans = [it.keys for it in sorted(earlier, key=_age)]
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


def _notes(planned: Settled, rows: int, unfit: Sequence[Settled]) -> tuple[str, ...]:
    said = (
        f"{planned.count:,} rows were planned when these variants were first compared; that stays, "
        "so that looking again buys no winner."
    )
    stays = planned.number is not None and planned.to_run != rows
    return tuple(
        filter(None, (said if stays else "", planned.said_of_gone, *map(_anew, unfit[:1])))
    )


def _anew(unfit: Settled) -> str:
    left = len(unfit.keys) - len(unfit.gone)
    return (
        f"New rows are planned: of the {unfit.count:,} that were when such variants were first "
        f"compared, {left:,} {'is' if left == 1 else 'are'} in the dataset with the same question and "
        "expected answer, fewer than half, so it is taken for another dataset."
    )
