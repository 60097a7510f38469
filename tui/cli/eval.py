"""`llamadiff eval`: put a suite's rows to its variants, and say what came out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .evaluation import beginning, carry_out_plan
from .options import Asked, complete_suite, variant_options
from .printing import note, print_json
from .scores import print_decision, print_scores

if TYPE_CHECKING:
    from ...compare.evaluation.kept import Kept
    from ...compare.evaluation.plan import Plan
    from ...compare.history.evaluations import Evaluations


@click.command("eval")
@click.argument("suite", metavar="SUITE", required=False, shell_complete=complete_suite)
@variant_options
@click.option("--rows", type=click.IntRange(1), metavar="N", help="Run only the first N rows. What the suite planned stays as it is.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the run of the same suite that did not end, if there is one.")  # fmt: skip
@click.option("--show", "shown", metavar="ID", help="Show one that was run, by its id, or the newest with `last`; nothing is run, and there is no SUITE.")  # fmt: skip
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
        note(beginning(plan))
        for said in (*plan.notes, *missing):
            note(said)
        wanted = as_json or bool(reports)
        found, decision = asyncio.run(carry_out_plan(asked, plan, others, missing, resume, wanted))
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
    if suite is not None and found.key is not None:
        note(f"Kept as {found.key}: --show {found.key} shows it again, the app has its rows.")
    return 0 if board.met else 1


def _found(name: str) -> tuple[Kept, dict[str, Any] | None]:
    """One that was run, said which, and what it decides. Raises CompareError."""
    from ...compare.rating.decided import decided
    from .session import open_history

    with open_history() as history:
        found = history.evaluations.kept(history.evaluations.find(name))
        decision = decided(history, found)
    there = f", {len(found.answers):,} are there" if found.ended is None else ""
    models = ", ".join(dict.fromkeys(it.model_name for it in found.plan.variants))
    when = f"{found.at.astimezone():%Y-%m-%d %H:%M}"
    note(f"{found.key} · {when} · {beginning(found.plan)}{there} · {models}")
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
