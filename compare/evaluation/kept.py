"""An evaluation as the history has it: what it was to do, and what came of it so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ...models.engine.protocol import ModelSettings
from ..checks.result import Answer, Result
from ..history.content import restored
from ..variants import StackedAdapter, Variant
from .answers import Checked
from .document import evaluation_document
from .expression import parse_expression
from .plan import Plan
from .rows import SuiteRow
from .scoreboard import Pace, Scoreboard, scoreboard
from .suite import DatasetSpec, NamedCheck, Suite
from .variants import baseline_of

Hashes = Mapping[Path, str | None]


@dataclass(frozen=True)
class Kept:
    """One evaluation; without a key it is not in the history.

    The `plan` of one that was read there says what was done and is not to be run: its checks have
    names and weights, and check nothing. `paces` and `hashes` are empty while it has not ended.
    """

    key: str | None
    at: datetime
    ended: datetime | None
    program: str
    plan: Plan
    answers: Sequence[Checked]
    paces: Mapping[str, Pace] = field(default_factory=dict[str, Pace])
    hashes: Hashes = field(default_factory=dict[Path, str | None])

    def board(self) -> Scoreboard:
        """What came out; takes as long as `scoreboard`."""
        return scoreboard(self.plan, self.answers, self.paces)

    def document(self, board: Scoreboard) -> dict[str, Any]:
        """It as JSON, with its scoreboard."""
        return evaluation_document(
            self.plan,
            board,
            self.answers,
            key=self.key,
            at=self.at,
            program=self.program,
            hashes=self.hashes,
        )


def about(plan: Plan) -> str:
    """JSON of what `restored_plan` needs beside the plan's definition: names, and requirements."""
    names = {str(it.model): it.model_name for it in plan.variants}
    names |= {str(a.path): a.name for it in plan.variants for a in it.adapters}
    suite = plan.suite
    return json.dumps(
        {
            "description": suite.description,
            "dataset": str(suite.dataset.file),
            "require": [it.text for it in suite.require],
            "names": names,
        }
    )


def measured(paces: Mapping[str, Pace], hashes: Hashes) -> str:
    """JSON of what was measured when all answers were there."""
    return json.dumps(
        {
            "paces": {name: asdict(pace) for name, pace in paces.items()},
            "hashes": {str(path): sha256 for path, sha256 in hashes.items()},
        }
    )


def read_measured(text: str) -> tuple[dict[str, Pace], dict[Path, str | None]]:
    """The paces by variant and the hashes by file."""
    found: dict[str, Any] = json.loads(text)
    paces = {name: Pace(**pace) for name, pace in found["paces"].items()}
    return paces, {Path(path): sha256 for path, sha256 in found["hashes"].items()}


def restored_plan(
    definition: str, about: str, *, name: str, path: Path, planned: int, margin: float
) -> Plan:
    """The plan whose `definition` and `about` these are."""
    given: dict[str, Any] = json.loads(definition)
    beside: dict[str, Any] = json.loads(about)
    variants = [_variant(it, beside["names"]) for it in given["variants"]]
    suite = Suite(
        name,
        path,
        DatasetSpec(Path(beside["dataset"])),
        (),
        tuple(NamedCheck(name, _unchecked, weight) for name, weight, *_ in given["checks"]),
        description=beside["description"],
        baseline=given["baseline"],
        repeats=given["repeats"],
        planned=planned,
        margin=margin,
        exact=given["exact"],
        require=tuple(map(parse_expression, beside["require"])),
    )
    return Plan(
        suite,
        tuple(variants),
        baseline_of(suite, variants),
        tuple(_row(it) for it in given["rows"]),
        planned,
        msgspec.convert(given["settings"], ModelSettings),
        given["exact"],
    )


def _unchecked(answer: Answer) -> Result:
    return Result(None, "could not be checked: its check is not kept")


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
        given["sampling"],
        given["label"],
        given["values"],
    )


def _row(given: Sequence[Any]) -> SuiteRow:
    key, line, values, expected, tags, turns = given
    return SuiteRow(line, key, values, expected, tuple(tags), tuple(map(tuple, turns)))
