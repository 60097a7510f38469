"""Carry out an evaluation for a command: kept in the history as it goes on, gone on with, measured."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ..amounts import span
from .asked import Asked
from .printing import note
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...compare.evaluation.answers import Checked
    from ...compare.evaluation.decision.elsewhere import Other
    from ...compare.evaluation.evaluator import Progress
    from ...compare.evaluation.kept import Kept
    from ...compare.evaluation.plan import Plan
    from ...compare.history.evaluations import Evaluations
    from ...compare.history.history import History


def beginning(plan: Plan) -> str:
    """What is asked, in one line."""
    rows, variants = len(plan.rows), len(plan.variants)
    repeats = f" × {plan.repeats} repeats" if plan.repeats > 1 else ""
    asked = f"{rows:,} row{'s' * (rows != 1)} × {variants} variant{'s' * (variants != 1)}"
    return f"{plan.suite.name}: {asked}{repeats} = {plan.answers:,} answers"


async def carry_out_plan(
    asked: Asked,
    plan: Plan,
    others: Sequence[Other],
    missing: Sequence[str],
    resume: bool,
    hashes: bool,
) -> tuple[Kept, dict[str, Any] | None]:
    """Run it, and say what it decides; with `hashes` those of all files are waited for."""
    from ...compare.evaluation.answers import standing
    from ...compare.evaluation.evaluator import Evaluator
    from ...compare.evaluation.kept import Kept
    from ...compare.evaluation.measured import Measured
    from ...compare.evaluation.measuring import measure
    from ...compare.hashes import FileHashes
    from ...compare.rating.decided import decided
    from ...models.engine.client import EngineError
    from ..paths import cache_dir
    from .session import HASHING_S, runner

    at, program = datetime.now(UTC), version("llamadiff")
    with _history(asked) as history:
        kept = history.evaluations if history is not None else None
        key = await asyncio.to_thread(_begun, kept, plan, resume)
        before: list[Checked] = []
        answers: list[Checked] = []
        measured = Measured()

        def keep(found: Measured) -> None:
            if kept is not None and key is not None:
                kept.keep_measured(key, found)

        def add(checked: list[Checked]) -> None:
            answers.extend(checked)
            if kept is not None and key is not None:
                kept.add(key, checked)

        async with runner(asked) as it:
            with ProgressLine() as line:
                evaluator = Evaluator(it, plan, add, _progress(line))
                await evaluator.check()
                for sentence in await asyncio.to_thread(it.odd, plan.variants):
                    note(sentence)
                if kept is not None and key is not None:
                    await asyncio.to_thread(kept.take, key)
                    before = await asyncio.to_thread(kept.answers, key)
                    answers = standing(plan, before)
                elif kept is not None:
                    key = await asyncio.to_thread(kept.begin, plan, program)
                    for other in others:
                        await asyncio.to_thread(kept.settle, other.plan)
                if kept is not None and key is not None:
                    at = await asyncio.to_thread(kept.began, key)
                    measured = await asyncio.to_thread(kept.measured, key)
                there, began = len(answers), time.monotonic()
                try:
                    await evaluator.run(before)
                    measured = replace(
                        measured,
                        seconds=measured.seconds + time.monotonic() - began,
                        answers=measured.answers + len(answers) - there,
                    )
                    measured = await measure(
                        it, plan, answers, others, measured, keep,
                        lambda suite, share: line.show(f"elsewhere: {suite}", share, ""),
                        missing=missing,
                    )  # fmt: skip
                except asyncio.CancelledError:
                    if key is not None and answers:
                        note(f"{len(answers):,} of {plan.answers:,} answers are kept; the same command with --resume goes on with them.")  # fmt: skip
                    raise
                except EngineError as error:
                    kept_of = f"{len(answers):,} of {plan.answers:,} answers are kept"
                    more = f" {kept_of}; --resume goes on with them." if key and answers else ""
                    raise EngineError(f"{error}{more}") from None
        patience_s = None if hashes else HASHING_S
        known = await FileHashes(cache_dir()).known(plan.files, patience_s)
        measured = replace(measured, hashes=known)
        found = Kept(key, at, datetime.now(UTC), program, plan, answers, measured)
        decision = await asyncio.to_thread(decided, history, found)
        keep(measured.decided(decision))
        if kept is not None and key is not None:
            kept.end(key)
            if died := sum(it.died for it in answers):
                note(f"{_died_with(died)}; --resume asks for them again.")
        return found, decision


@contextlib.contextmanager
def _history(asked: Asked) -> Iterator[History | None]:
    """Where answers are kept as they come; None where they are not to be."""
    from .session import open_history, retire

    if not asked.history:
        yield None
        return
    with open_history() as history:
        yield history
        retire(history)


def _begun(kept: Evaluations | None, plan: Plan, resume: bool) -> str | None:
    """The run to go on with, where there is one and that is wanted; it is not taken yet. Raises
    CompareError when another program runs it."""
    from ...compare.errors import CompareError
    from ...compare.history.evaluations import RUNS_ELSEWHERE

    key = kept.unfinished(plan) if kept is not None else None
    if kept is None or key is None:
        if resume:
            note(
                "There is nothing to go on with: no run of the same rows, variants, files and checks was left unfinished. It begins anew."
            )
        return None
    if kept.running(key):
        if resume:
            raise CompareError(RUNS_ELSEWHERE.format(key))
        note(f"The same is being run by another llamadiff ({key}).")
        return None
    answers = kept.answers(key)
    if answers:
        said = f"{len(answers):,} of {plan.answers:,} answers are there from a run that did not end"
        if len(answers) == plan.answers and (died := sum(it.died for it in answers)):
            said = f"{_died_with(died)} in a run that is there"
        note(f"{said}{': going on with it.' if resume else '; --resume goes on with it.'}")
    return key if resume else None


def _died_with(answers: int) -> str:
    return f"The engine died with {answers:,} answer{'s' * (answers != 1)}"


def _progress(line: ProgressLine):
    began = time.monotonic()
    first: list[int] = []

    def show(progress: Progress) -> None:
        first.append(progress.answers) if not first else None
        new, seconds = progress.answers - first[0], time.monotonic() - began
        detail = f"{progress.answers:,} of {progress.of:,}"
        if new >= 8 and seconds > 1:
            detail += f" · {span((progress.of - progress.answers) * seconds / new)} left"
        line.show("evaluating", progress.answers / progress.of, detail)

    return show
