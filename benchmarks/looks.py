"""The looks at a dataset that grows, as real plans of a real suite and a real history have them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.planning import plan_of
from llamadiff.compare.evaluation.questions import halves
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.rows import SuiteRow, suite_rows
from llamadiff.compare.history.history import History
from llamadiff.compare.spec import Defaults
from llamadiff.models.engine.protocol import ModelSettings

LOOKS = 10
"""On the way to the planned rows, and as many again while as many rows are added."""
SUITE = """
dataset = "rows.jsonl"
[[checks]]
check = "exact"
[[variants]]
prompt = "support"
[[variants]]
prompt = "support-engineered"
"""

Lines = NDArray[np.intp]


@dataclass(frozen=True)
class Look:
    """Rows by their lines in the file, from 0: all there are, those that were planned, and as many
    as were planned of the first in the order drawn. `complete`: none of those planned is missing.
    `choosing` and `confirming` are the two halves of all."""

    lines: Lines
    planned: Lines
    first: Lines
    complete: bool
    choosing: Lines
    confirming: Lines


@cache
def looks(rows: int) -> tuple[Look, ...]:
    """`rows` are planned at the first look; each further one is a run of the suite of its own."""
    ends = np.linspace(0, 2 * rows, 2 * LOOKS + 1).round().astype(int)[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.toml").write_text(SUITE)
        history = History(folder / "state", "0", print)
        found: list[Look] = []
        for end in map(int, ends):
            texts = (
                json.dumps({"message": f"Question {line}?", "expected": "yes"})
                for line in range(max(rows, end))
            )
            (folder / "rows.jsonl").write_text("\n".join(texts))
            suite = load_suite(folder / "suite.toml")
            plan = plan_of(suite, Defaults(), ModelSettings(), kept=history.evaluations, limit=end)
            history.evaluations.begin(plan, "0")
            found.append(_look(plan, suite_rows(suite)[:end], rows))
        history.close()
    return tuple(found)


def _look(plan: Plan, drawn: list[SuiteRow], rows: int) -> Look:
    planned = plan.planned_for(*plan.variants, range(len(plan.rows)))
    of = halves(plan.rows, plan.variants)
    half = [of[row.key] for row in plan.rows]
    lines = _lines(plan.rows)
    return Look(
        lines,
        lines[np.asarray(planned.rows, dtype=np.intp)],
        _lines(drawn[:rows]),
        planned.to_come == 0,
        lines[np.array(half)],
        lines[~np.array(half)],
    )


def _lines(rows: tuple[SuiteRow, ...] | list[SuiteRow]) -> Lines:
    return np.array([row.line - 1 for row in rows], dtype=np.intp)
