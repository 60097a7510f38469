"""The decision table at the end of `llamadiff eval`: made when the suite is through, and printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..decision_lines import decision_lines, wrapped
from .printing import data
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...compare.evaluation.answers import Checked
    from ...compare.evaluation.decision.elsewhere import Other
    from ...compare.evaluation.plan import Plan
    from ...compare.evaluation.scoreboard import Pace
    from ...compare.runner import Runner

WIDTH = 120
"""Columns where stdout is no terminal."""


async def decide(
    runner: Runner,
    plan: Plan,
    answers: Sequence[Checked],
    paces: Mapping[str, Pace],
    others: Sequence[Other],
) -> dict[str, Any] | None:
    """The decision as a document, the adapters run on the `others` first; None without sides."""
    import asyncio

    from ...compare.evaluation.decision.build import decision_of
    from ...compare.evaluation.decision.document import decision_document
    from ...compare.evaluation.decision.elsewhere import run_elsewhere, stacks_of

    stacks = await asyncio.to_thread(stacks_of, plan, answers)
    with ProgressLine() as line:
        found, problems = await run_elsewhere(
            runner,
            others,
            stacks,
            lambda suite, it: line.show(f"elsewhere: {suite}", it.answers / it.of, ""),
        )
    decision = await asyncio.to_thread(decision_of, plan, answers, paces, found, problems=problems)
    return None if decision is None else await asyncio.to_thread(decision_document, decision)


def print_decision(decision: Mapping[str, Any]) -> None:
    """The verdict, the table, and what its figures are."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    data("")
    for line in wrapped(decision["verdict"], width):
        data(line)
    data("")
    for title, rest in decision_lines(decision, width):
        data(f"{title}{rest}".rstrip())
    data("")
    for said in decision["notes"]:
        for line in wrapped(said, width):
            data(line)
