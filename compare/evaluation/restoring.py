"""An evaluation's plan made again out of the history, without its suite's files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from ...models.engine.protocol import ModelSettings
from ..checks.amounts import Length, Number
from ..checks.code import Code
from ..checks.judge import Judge
from ..checks.likelihood import Likelihood
from ..checks.likeness import Likeness
from ..checks.result import Answer, Check, Result
from ..checks.structure import Json, Pattern, Schema
from ..checks.wording import Contains, Exact, Normalised, OneOf
from ..errors import CompareError
from ..history.content import restored
from ..variants import StackedAdapter, Variant
from .expression import ExpressionError, parse_expression
from .plan import Plan
from .rows import SuiteRow
from .settled import Settled, names_of
from .suite import DatasetSpec, NamedCheck, Suite
from .variants import baseline_of

CHECKS = {
    each.__name__: each
    for each in (
        Code, Contains, Exact, Json, Judge, Length, Likelihood, Likeness, Normalised, Number,
        OneOf, Pattern, Schema,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Unknown:
    """A check that this version knows nothing of: its results are in the answers."""

    kind: str

    def __call__(self, answer: Answer) -> Result:
        return Result(None, f"could not be checked: there is no check {self.kind}")


def about(plan: Plan) -> str:
    """JSON of what `restored_plan` needs beside the plan's definition, and no answer follows from."""
    variants = [*plan.variants, *plan.judges.values()]
    names = {str(it.model): it.model_name for it in variants}
    names |= {str(a.path): a.name for it in variants for a in it.adapters}
    suite = plan.suite
    return json.dumps(
        {
            "description": suite.description,
            "dataset": str(suite.dataset.file),
            "require": [it.text for it in suite.require],
            "elsewhere": suite.elsewhere,
            "code": [str(path) for path in suite.code],
            "names": names,
            "trained": plan.trained,
            "planned": _written(plan.planned, plan),
            "apart": [[*names, _written(it, plan)] for names, it in plan.apart.items()],
        }
    )


def restored_plan(
    definition: str, about: str, *, name: str, path: Path, planned: int, margin: float
) -> Plan:
    """The plan whose `definition` and `about` these are. Raises CompareError."""
    try:
        given, beside = json.loads(definition), json.loads(about)
        return _plan(given, beside, name=name, path=path, planned=planned, margin=margin)
    except (KeyError, ValueError, TypeError, ExpressionError, msgspec.MsgspecError) as error:
        raise CompareError(f"An evaluation in the history cannot be read: {error!r}.") from None


def _plan(
    given: Mapping[str, Any],
    beside: Mapping[str, Any],
    *,
    name: str,
    path: Path,
    planned: int,
    margin: float,
) -> Plan:
    names: Mapping[str, str] = beside["names"]
    variants = [_variant(it, names) for it in given["variants"]]
    code = tuple(map(Path, beside["code"]))
    suite = Suite(
        name,
        path,
        DatasetSpec(Path(beside["dataset"])),
        (),
        _checks(given["checks"], code),
        description=beside["description"],
        baseline=given["baseline"],
        repeats=given["repeats"],
        planned=planned,
        margin=margin,
        exact=given["exact"],
        require=tuple(map(parse_expression, beside["require"])),
        elsewhere=tuple(beside["elsewhere"]),
        code=code,
    )
    rows = tuple(map(_row, given["rows"]))
    settled = Settled(frozenset(row.key for row in rows[:planned]), planned)
    if "planned" in beside:  # else it was begun by a version that knew only how many
        settled = _settled(beside["planned"], rows)
    return Plan(
        suite,
        tuple(variants),
        baseline_of(suite, variants),
        rows,
        settled,
        msgspec.convert(given["settings"], ModelSettings),
        given["exact"],
        {it: replace(_variant(table, names), label="judge") for it, table in given["judges"].items()},
        {names_of(a, b): _settled(it, rows) for a, b, it in beside.get("apart", ())},
        trained=tuple(beside.get("trained", ())),
    )  # fmt: skip


def _written(it: Settled, plan: Plan) -> list[object]:
    """Its number of rows, the places of those in the plan, the keys of those that are not, and its
    own number."""
    there = [place for place, row in enumerate(plan.rows) if row.key in it.keys]
    absent = it.keys - it.gone - {row.key for row in plan.rows}
    return [it.count, there, sorted(absent), sorted(it.gone), it.number]


def _settled(given: Sequence[Any], rows: Sequence[SuiteRow]) -> Settled:
    count, there, absent, gone, *number = given  # which earlier versions did not write
    keys = frozenset([*(rows[place].key for place in there), *absent, *gone])
    return Settled(keys, count, frozenset(gone), *number)


def _variant(given: Mapping[str, Any], names: Mapping[str, str]) -> Variant:
    model = given["model"][0]
    return Variant(
        given["name"],
        Path(model),
        names[model],
        restored(given["prompt"].encode()),
        tuple(
            StackedAdapter(names[path], Path(path), scale) for path, scale, _ in given["adapters"]
        ),
        {
            key: {int(token): bias for token, bias in value.items()} if key == "logit_bias" else value
            for key, value in given["sampling"].items()
        },
        given["label"],
        given["values"],
    )  # fmt: skip


def _row(given: Sequence[Any]) -> SuiteRow:
    key, line, values, expected, tags, turns = given
    return SuiteRow(line, key, values, expected, tuple(tags), tuple(map(tuple, turns)))


def _checks(tables: Sequence[Any], code: Sequence[Path]) -> tuple[NamedCheck, ...]:
    """The checks; those of code get back their files, of which a definition has the contents."""
    files = iter(code)
    found: list[NamedCheck] = []
    for name, weight, kind, settings in tables:
        check: Check = Unknown(kind)
        if kind == Code.__name__:
            digest = settings["path"]
            check = Code(next(files, Path(digest)), settings["function"], digest)
        elif kind in CHECKS:
            check = msgspec.convert(settings, CHECKS[kind])
        found.append(NamedCheck(name, check, weight))
    return tuple(found)
