"""`llamadiff eval`: put a suite's rows to its variants, and say what came out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..amounts import span
from .options import Asked, complete_suite, variant_options
from .printing import note, print_json
from .progress import ProgressLine
from .scores import print_decision, print_scores

if TYPE_CHECKING:
    from ...compare.evaluation.answers import Checked
    from ...compare.evaluation.decision.elsewhere import Other
    from ...compare.evaluation.evaluator import Progress
    from ...compare.evaluation.kept import Kept
    from ...compare.evaluation.plan import Plan
    from ...compare.history.evaluations import Evaluations
    from ...compare.history.history import History


@click.command("eval")
@click.argument("suite", metavar="SUITE", required=False, shell_complete=complete_suite)
@variant_options
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Run only the first N rows. What the suite planned stays as it is.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the run of the same suite that did not end, if there is one.")  # fmt: skip
@click.option("--show", "shown", metavar="ID", help="Show one that was run, by its id or `last`; nothing is run, and there is no SUITE.")  # fmt: skip
@click.option("--allow-code", is_flag=True, help="Run the Python functions that the suite names.")
@click.option("--report", "reports", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a report: .html, .md, .json, or .xml for JUnit.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def eval_command(
    suite: str | None,
    asked: Asked,
    rows: int | None,
    resume: bool,
    shown: str | None,
    allow_code: bool,
    reports: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Put the rows of a suite to its variants, check the answers, and say which is better.

    SUITE is a file, or the name of one of your own or one that ships. With --variant only the variants given are run;
    -m, -a, -p and --set say what variants leave open, before the suite's defaults do. Every variant is compared with the
    first one, or with the suite's baseline. WON and LOST are rows; PROMPT and OUT are tokens per
    call; FIRST is the time to the first token of a call alone. At the end stands what follows for
    prompting and fine-tuning; the suites that this one names as elsewhere are run for it with its
    adapters. The exit code is 1 when a requirement of the suite is not met. `llamadiff history
    evals` lists what was run, for --show, and `llamadiff history rm` removes it.

    \b
    llamadiff eval sentiment
    llamadiff eval sentiment --rows 50 --json > result.json
    llamadiff eval --show last --report result.html
    """
    if (suite is None) == (shown is None):
        raise click.UsageError("Give a SUITE to run, or --show ID for one that was run.")
    if shown is not None and (asked != Asked() or rows or resume or allow_code):
        raise click.UsageError("--show runs nothing: only --report and --json go with it.")
    if asked.each or asked.user is not None:
        raise click.UsageError("eval takes its values from the dataset: --each and --user do nothing here.")  # fmt: skip
    from ...compare.evaluation.decision.elsewhere import others_of
    from ...compare.evaluation.reports import check_report, write_report
    from ..paths import suite_folders
    from .session import open_history

    for path in reports:
        check_report(path)
    if suite is not None:
        with open_history() as history:  # what was planned is read, with --no-history too
            known = history.evaluations
            plan = _plan(asked, suite, rows, allow_code, known)
            others, missing = others_of(
                plan, asked.defaults(), suite_folders(), kept=known, allow_code=allow_code
            )
        note(_beginning(plan))
        for said in (*plan.notes, *missing):
            note(said)
        wanted = as_json or bool(reports)
        found, decision = asyncio.run(_carry_out(asked, plan, others, missing, resume, wanted))
    else:
        found, decision = _found(shown or "")
    board = found.board()
    document = found.document(board, decision)
    if as_json:
        print_json(document, indent=True)
    else:
        print_scores(found.plan, board, found.answers)
        if decision is not None:
            print_decision(decision)
    for path in reports:
        write_report(path, document)
    return 0 if board.met else 1


def _found(name: str) -> tuple[Kept, dict[str, Any] | None]:
    """One that was run, said which, and what it decides. Raises CompareError."""
    from ...compare.rating.decided import decided
    from .session import open_history

    with open_history() as history:
        found = history.evaluations.kept(history.evaluations.find(name))
        decision = decided(history, found)
    there = f", {len(found.answers):,} are there" if found.ended is None else ""
    note(f"{found.key} · {found.at.astimezone():%Y-%m-%d %H:%M} · {_beginning(found.plan)}{there}")
    return found, decision


def _plan(asked: Asked, name: str, rows: int | None, allow_code: bool, known: Evaluations) -> Plan:
    """What is to be done. Raises what `explain` says in one line."""
    from ...compare.errors import CompareError
    from ...compare.evaluation.planning import plan_of
    from ...compare.evaluation.reading import load_suite
    from ...compare.evaluation.shipped import find_suite
    from ...compare.evaluation.suite import VariantSpec
    from ...compare.spec import parse_spec
    from ..paths import suite_folders

    suite = load_suite(find_suite(name, suite_folders()))
    if suite.code and not allow_code:
        files = ", ".join(dict.fromkeys(path.name for path in suite.code))
        raise CompareError(
            f"{suite.path} checks answers with Python code ({files}), which may do all that you "
            "may; give --allow-code if you trust it."
        )
    if asked.variants:
        specs = [parse_spec(spec) for spec in asked.variants]
        tables = (VariantSpec(it.pop("label", ""), {k: (v,) for k, v in it.items()}) for it in specs)  # fmt: skip
        suite = replace(suite, variants=tuple(tables), baseline="", require=(), text="")
    return plan_of(
        suite, asked.defaults(), asked.settings(),
        values=asked.values, kept=known, limit=rows, exact=asked.exact,
    )  # fmt: skip


def _beginning(plan: Plan) -> str:
    rows, variants = len(plan.rows), len(plan.variants)
    repeats = f" × {plan.repeats} repeats" if plan.repeats > 1 else ""
    asked = f"{rows:,} row{'s' * (rows != 1)} × {variants} variant{'s' * (variants != 1)}"
    return f"{plan.suite.name}: {asked}{repeats} = {plan.answers:,} answers"


async def _carry_out(
    asked: Asked,
    plan: Plan,
    others: list[Other],
    missing: list[str],
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
        key, before = await asyncio.to_thread(_begun, kept, plan, resume)
        answers, measured = standing(plan, before), Measured()
        there = len(answers)

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
                if kept is not None and key is None:
                    key = await asyncio.to_thread(kept.begin, plan, program)
                    for other in others:
                        await asyncio.to_thread(kept.settle, other.plan)
                if kept is not None and key is not None:
                    at = await asyncio.to_thread(kept.began, key)
                    measured = await asyncio.to_thread(kept.measured, key)
                began = time.monotonic()
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
                        note(f"{len(answers):,} of {plan.answers:,} answers are kept; the same with --resume goes on with them.")  # fmt: skip
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


def _begun(kept: Evaluations | None, plan: Plan, resume: bool) -> tuple[str | None, list[Checked]]:
    """The run to go on with and its answers, where there is one and that is wanted. Raises
    CompareError when another program runs it."""
    key = kept.unfinished(plan) if kept is not None else None
    if kept is None or key is None:
        if resume:
            note(
                "There is nothing to go on with: no run of the same rows, variants, files and checks was left unfinished. It begins anew."
            )
        return None, []
    if resume:
        kept.take(key)
    elif kept.running(key):
        note(f"The same is being run by another llamadiff ({key}).")
        return None, []
    answers = kept.answers(key)
    if not answers:
        return (key, []) if resume else (None, [])
    said = f"{len(answers):,} of {plan.answers:,} answers are there from a run that did not end"
    if len(answers) == plan.answers and (died := sum(it.died for it in answers)):
        said = f"{_died_with(died)} in a run that is there"
    if resume:
        note(f"{said}: going on with it.")
        return key, answers
    note(f"{said}; --resume goes on with it.")
    return None, []


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
