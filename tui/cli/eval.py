"""`llamadiff eval`: put a suite's rows to its variants, and say what came out."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem as Completion

from ..amounts import span
from ..safe_text import safe_line
from .options import Asked, variant_options
from .printing import data, note, print_json, table
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...compare.evaluation.answers import Checked
    from ...compare.evaluation.evaluator import Progress
    from ...compare.evaluation.plan import Plan
    from ...compare.evaluation.scoreboard import Line, Pace, Scoreboard
    from ...compare.history.evaluations import Evaluations

HEAD = ("", "VARIANT", "SCORE", "95 % INTERVAL", "DIFFERENCE", "INTERVAL", "WON", "LOST")
COSTS = ("PASSED", "PROMPT", "OUT", "FIRST", "TOKENS/S")
WIDE = 120
"""Columns of a terminal from which on all is one table."""
LONGEST_TITLE = 22


def _complete_suite(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    from ...compare.evaluation.shipped import shipped_suites, suites_in
    from ..paths import suite_folders

    own = suites_in(suite_folders())
    fitting = [Completion(it.stem) for it in (*own, *shipped_suites()) if it.stem.startswith(typed)]
    return fitting or [Completion(typed, type="file")]


@click.command("eval")
@click.argument("suite", metavar="SUITE", shell_complete=_complete_suite)
@variant_options
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Run only the first N rows. What the suite planned stays as it is.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the run of the same suite that did not end, if there is one.")  # fmt: skip
@click.option("--allow-code", is_flag=True, help="Run the Python functions that the suite names.")
@click.option("--report", "reports", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a report: .html, .md, .json, or .xml for JUnit.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def eval_command(
    suite: str,
    asked: Asked,
    rows: int | None,
    resume: bool,
    allow_code: bool,
    reports: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Put the rows of a suite to its variants, check the answers, and say which is better.

    SUITE is a file, or the name of one of your own or one that ships. With --variant only the variants given are run;
    -m, -a, -p and --set say what variants leave open, before the suite's defaults do. Every variant is compared with the
    first one, or with the suite's baseline. WON and LOST are rows; PROMPT and OUT are tokens per
    call; FIRST is the time to the first token of a call alone. The exit code is 1 when a
    requirement of the suite is not met.

    \b
    llamadiff eval sentiment
    llamadiff eval sentiment --rows 50 --json > result.json
    """
    if asked.each or asked.user is not None:
        raise click.UsageError("eval takes its values from the dataset: --each and --user do nothing here.")  # fmt: skip
    from ...compare.evaluation.document import evaluation_document
    from ...compare.evaluation.reports import check_report, write_report

    for path in reports:
        check_report(path)
    plan = _plan(asked, suite, rows, allow_code)
    note(_beginning(plan))
    wanted = as_json or bool(reports)
    board, answers, key, hashes = asyncio.run(_carry_out(asked, plan, resume, wanted))
    program = version("llamadiff")
    document = evaluation_document(plan, board, answers, key=key, program=program, hashes=hashes)
    if as_json:
        print_json(document, indent=True)
    else:
        _print(plan, board, answers)
    for path in reports:
        write_report(path, document)
    return 0 if board.met else 1


def _plan(asked: Asked, name: str, rows: int | None, allow_code: bool) -> Plan:
    """What is to be done. Raises what `explain` says in one line."""
    from ...compare.errors import CompareError
    from ...compare.evaluation.judging import suite_judges
    from ...compare.evaluation.plan import make_plan
    from ...compare.evaluation.reading import load_suite
    from ...compare.evaluation.rows import suite_rows
    from ...compare.evaluation.scoreboard import check_requirements
    from ...compare.evaluation.shipped import find_suite
    from ...compare.evaluation.variants import suite_variants
    from ...compare.spec import parse_spec
    from ..paths import suite_folders

    suite = load_suite(find_suite(name, suite_folders()))
    if suite.code and not allow_code:
        files = ", ".join(dict.fromkeys(path.name for path in suite.code))
        raise CompareError(
            f"{suite.path} checks answers with Python code ({files}), which may do all that you "
            "may; give --allow-code if you trust it."
        )
    found = suite_rows(suite.dataset)
    if asked.values:
        found = [replace(row, values={**row.values, **asked.values}) for row in found]
    if asked.variants:
        from ...compare.evaluation.suite import VariantSpec

        specs = [parse_spec(spec) for spec in asked.variants]
        tables = (VariantSpec(it.pop("label", ""), {k: (v,) for k, v in it.items()}) for it in specs)  # fmt: skip
        suite = replace(suite, variants=tuple(tables), baseline="", require=())
    variants = suite_variants(suite, asked.defaults())
    for name in asked.values:
        if not any(name in field for it in variants for _, _, field in it.prompt.text_fields()):
            raise CompareError(f"--var {name}: no variant's prompt uses {name}.")
    check_requirements(suite, variants)
    judges = suite_judges(suite, asked.defaults())
    return make_plan(
        suite, variants, found, asked.settings(), limit=rows, exact=asked.exact, judges=judges
    )


def _beginning(plan: Plan) -> str:
    rows, variants = len(plan.rows), len(plan.variants)
    repeats = f" × {plan.repeats} repeats" if plan.repeats > 1 else ""
    return f"{plan.suite.name}: {rows:,} rows × {variants} variants{repeats} = {plan.answers:,} answers"


async def _carry_out(
    asked: Asked, plan: Plan, resume: bool, hashes: bool
) -> tuple[Scoreboard, list[Checked], str | None, dict[Path, str | None]]:
    from ...compare.evaluation.evaluator import Evaluator
    from ...compare.evaluation.pace import measure_paces
    from ...compare.evaluation.recorded import Costs
    from ...compare.evaluation.scoreboard import scoreboard
    from ...compare.hashes import FileHashes
    from ..paths import cache_dir
    from .session import runner

    with _kept(asked) as kept:
        plan = await asyncio.to_thread(_as_settled, kept, plan)
        key, before = await asyncio.to_thread(_begun, kept, plan, resume)
        answers = list(before)
        async with runner(asked) as it:

            def add(checked: list[Checked]) -> None:
                answers.extend(checked)
                if kept is not None and key is not None:
                    kept.add(key, checked)

            with ProgressLine() as line:
                evaluator = Evaluator(it, plan, add, _progress(line))
                await evaluator.check()
                for sentence in await asyncio.to_thread(it.odd, plan.variants):
                    note(sentence)
                if kept is not None and key is None:
                    key = await asyncio.to_thread(kept.begin, plan, version("llamadiff"))
                began = time.monotonic()
                await evaluator.run({answer.place for answer in before})
            if kept is not None and key is not None:
                kept.end(key)
            paces: dict[str, Pace] = await measure_paces(it, plan) if evaluator.generates else {}
            if kept is not None and key is not None:
                seconds = time.monotonic() - began
                kept.keep_costs(key, Costs(seconds, plan.answers - len(before), paces))
        board = await asyncio.to_thread(scoreboard, plan, answers, paces)
        found: dict[Path, str | None] = {}
        if hashes:
            known = FileHashes(cache_dir())
            for variant in plan.variants:
                for file in (variant.model, *(a.path for a in variant.adapters)):
                    found[file] = await known.sha256(file)
    return board, answers, key, found


@contextlib.contextmanager
def _kept(asked: Asked) -> Iterator[Evaluations | None]:
    """Where answers are kept as they come; None where they are not to be."""
    from .session import open_history, retire

    if not asked.history:
        yield None
        return
    with open_history() as history:
        yield history.evaluations
        retire(history)


def _as_settled(kept: Evaluations | None, plan: Plan) -> Plan:
    """With the number of rows that was planned when these rows were first looked at."""
    settled = kept.settled(plan) if kept is not None else None
    if settled is None or settled == plan.planned:
        return plan
    note(
        f"{settled:,} rows were planned when this suite was first run; that stays, so that looking "
        "again buys no winner."
    )
    return replace(plan, planned=settled)


def _begun(kept: Evaluations | None, plan: Plan, resume: bool) -> tuple[str | None, list[Checked]]:
    """The run to go on with and its answers, where there is one and that is wanted."""
    key = kept.unfinished(plan) if kept is not None else None
    if kept is None or key is None:
        return None, []
    answers = kept.answers(key)
    if not answers:
        return (key, []) if resume else (None, [])
    said = f"{len(answers):,} of {plan.answers:,} answers are there from a run that did not end"
    if resume:
        note(f"{said}: going on with it.")
        return key, answers
    note(f"{said}; --resume goes on with it.")
    return None, []


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


# --------------------------------------------------------------------------- printing


def _print(plan: Plan, board: Scoreboard, answers: list[Checked]) -> None:
    from ...compare.evaluation.variants import called

    _print_table(board)
    _print_tags(board)
    data("")
    for line in board.lines:
        if line.verdict is not None:
            decided = line.verdict.outcome != "undecided"
            _say(line.sentence if decided else f"{called(line.variant)}: {line.sentence}")
        if line.noise is not None and line.noise.rows:
            _say(f"{called(line.variant)} {_noise(line)}")
    if board.rows < board.planned:
        data(f"{board.rows:,} of {board.planned:,} planned rows so far.")
    for it in board.requirements:
        said = {True: "met", False: "NOT MET", None: "NOT MET, not known yet"}[it.met]
        _say(f"{said}: {it.text} ({it.figures})")
    for line in board.lines:
        if line.errors or line.unscored:
            first = next(
                it for it in answers
                if it.variant == line.variant.name and (it.error or it.score is None)
            )  # fmt: skip
            why = first.error or next((r.reason for r in first.results if r.score is None), "")
            note(
                f"{called(line.variant)}: {line.errors + line.unscored:,} answers without a score, the "
                f"first on line {plan.rows[first.row].line}: {why}"
            )


def _say(text: str) -> None:
    """A sentence, broken between words on a terminal."""
    line = safe_line(text)
    data(textwrap.fill(line, shutil.get_terminal_size().columns) if sys.stdout.isatty() else line)


def _print_table(board: Scoreboard) -> None:
    """All figures in one table, or in two where the terminal is narrow."""
    if not sys.stdout.isatty() or shutil.get_terminal_size().columns >= WIDE:
        rows = ((*_scores(line), *_costs(line)) for line in board.lines)
        table([(*HEAD, *COSTS), *rows])
        return
    table([HEAD, *(_scores(line) for line in board.lines)])
    data("")
    table([(*HEAD[:2], *COSTS), *((*_scores(line)[:2], *_costs(line)) for line in board.lines)])


def _scores(line: Line) -> tuple[str, ...]:
    from ...compare.statistics.wording import points

    score, interval = line.score, line.score.interval
    compared = ("baseline", "", "", "")
    if line.verdict is not None:
        difference = line.verdict.difference
        within = difference.interval
        compared = (
            points(difference.mean),
            f"{points(within.low)} to {points(within.high)}",
            f"{difference.wins:,}",
            f"{difference.losses:,}",
        )
    title = line.variant.title
    return (
        line.variant.name,
        title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        f"{100 * score.mean:.1f}" if score.rows else "–",
        f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if score.rows else "",
        *compared,
    )


def _costs(line: Line) -> tuple[str, ...]:
    pace = line.pace
    return (
        f"{line.pass_rate:.0%}",
        f"{line.prompt_tokens:.0f}",
        f"{line.tokens:.1f}",
        f"{1000 * pace.ttft_s:.0f} ms" if pace and pace.ttft_s is not None else "",
        f"{pace.tokens_per_s:,.0f}" if pace and pace.tokens_per_s else "",
    )


def _print_tags(board: Scoreboard) -> None:
    tags = list(dict.fromkeys(tag.name for line in board.lines for tag in line.tags))
    if not tags:
        return
    data("")
    rows = [("TAG", "ROWS", *(line.variant.name for line in board.lines))]
    for name in tags:
        own = [next((t for t in line.tags if t.name == name), None) for line in board.lines]
        most = max(tag.rows for tag in own if tag is not None)
        cells = (f"{tag.passed / tag.answers:.0%}" if tag else "–" for tag in own)
        rows.append((name, f"{most:,}", *cells))
    table(rows)


def _noise(line: Line) -> str:
    assert line.noise is not None
    reach = 100 * line.noise.interval.high
    return (
        f"run again with other seeds differs from itself by up to {reach:.1f} points; "
        f"{line.noise.changing:.0%} of its rows change."
    )
