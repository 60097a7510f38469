"""A plan as the history keeps it, made again without the suite's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
from ..history.content import pack, unpack
from ..variants import StackedAdapter, Variant
from .expression import ExpressionError, parse_expression
from .plan import Plan
from .rows import SuiteRow
from .scoreboard import Pace
from .suite import DatasetSpec, NamedCheck, Suite

CHECKS = {
    each.__name__: each
    for each in (
        Code, Contains, Exact, Json, Judge, Length, Likelihood, Likeness, Normalised, Number,
        OneOf, Pattern, Schema,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Costs:
    """What running an evaluation took: seconds of so many answers, and what a call costs alone."""

    seconds: float = 0.0
    answers: int = 0
    paces: Mapping[str, Pace] | None = None


@dataclass(frozen=True)
class Unknown:
    """A check that this version knows nothing of: its results are in the answers."""

    kind: str

    def __call__(self, answer: Answer) -> Result:
        return Result(None, f"could not be checked: there is no check {self.kind}")


def beside(plan: Plan) -> dict[str, Any]:
    """What is kept with a plan's definition and decides nothing about its answers."""
    variants = [*plan.variants, *plan.judges.values()]
    names = {str(it.model): it.model_name for it in variants}
    names |= {str(a.path): a.name for it in variants for a in it.adapters}
    return {
        "require": [it.text for it in plan.suite.require],
        "names": names,
        "code": [str(path) for path in plan.suite.code],
    }


def recorded_plan(
    text: str, *, suite: str, path: Path, baseline: str, planned: int, margin: float
) -> Plan:
    """The plan that a definition and what is beside it say. Raises CompareError."""
    try:
        found: dict[str, Any] = json.loads(text)
        names: Mapping[str, str] = found.get("names", {})
        variants = tuple(_variant(it, names) for it in found["variants"])
        code = [Path(it) for it in found.get("code", ())]
        made = Suite(
            name=suite,
            path=path,
            dataset=DatasetSpec(Path()),
            variants=(),
            checks=_checks(found["checks"], code),
            repeats=found["repeats"],
            margin=margin,
            require=tuple(map(parse_expression, found.get("require", ()))),
            code=tuple(code),
        )
        rows = tuple(
            SuiteRow(line, key, values, expected, tuple(tags))
            for key, line, values, expected, tags in found["rows"]
        )
        judges = {it: _judge(table, names) for it, table in found.get("judges", {}).items()}
        return Plan(
            made,
            variants,
            next(it for it in variants if it.name == baseline),
            rows,
            planned,
            msgspec.convert(found["settings"], ModelSettings),
            found["exact"],
            judges,
        )
    except (
        KeyError, ValueError, TypeError, StopIteration, ExpressionError, msgspec.MsgspecError
    ) as error:  # fmt: skip
        raise CompareError(f"An evaluation in the history cannot be read: {error!r}.") from None


def recorded_costs(text: str) -> Costs:
    """What was kept of costs with a definition."""
    try:
        return msgspec.convert(json.loads(text).get("costs", {}), Costs)
    except (ValueError, msgspec.MsgspecError):
        return Costs()


def with_costs(text: str, costs: Costs) -> str:
    """A definition with these costs beside it."""
    return json.dumps({**json.loads(text), "costs": asdict(costs)})


def _judge(table: Mapping[str, Any], names: Mapping[str, str]) -> Variant:
    return replace(_variant(table, names), label="judge")


def _variant(table: Mapping[str, Any], names: Mapping[str, str]) -> Variant:
    model = Path(table["model"][0])
    return Variant(
        table["name"],
        model,
        names.get(str(model), model.stem),
        unpack(pack(table["prompt"].encode())),
        tuple(
            StackedAdapter(names.get(path, Path(path).stem), Path(path), scale)
            for path, scale, _ in table["adapters"]
        ),
        {
            key: {int(k): v for k, v in value.items()} if key == "logit_bias" else value
            for key, value in table["sampling"].items()
        },
        table["label"],
        table["values"],
    )


def _checks(tables: list[Any], code: list[Path]) -> tuple[NamedCheck, ...]:
    """The checks; those of code with the paths that their settings have no room for."""
    paths = iter(code)
    found: list[NamedCheck] = []
    for name, weight, kind, settings in tables:
        check: Check = Unknown(kind)
        if kind in CHECKS:
            if kind == Code.__name__:
                settings = {**settings, "path": str(next(paths, settings["path"]))}
            check = msgspec.convert(settings, CHECKS[kind], dec_hook=_path)
        found.append(NamedCheck(name, check, weight))
    return tuple(found)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if issubclass(kind, Path) else value
