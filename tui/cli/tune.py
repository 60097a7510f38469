"""`llamadiff tune`: train an adapter on rows of data, or check them; and run suites with it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asked import Asked
from .found import base_model, open_catalog, open_library
from .options import (
    complete_model,
    complete_prompt,
    complete_rows,
    complete_suite,
    complete_tuning_setting,
    pairs,
)
from .printing import data, note, print_json
from .scores import print_decision, print_scores

if TYPE_CHECKING:
    from ...compare.evaluation.decision.elsewhere import Other
    from ...compare.evaluation.kept import Kept
    from ...compare.evaluation.plan import Plan
    from ...compare.evaluation.scoreboard import Scoreboard
    from ...compare.history.evaluations import Evaluations
    from ...compare.training_data.preview import PreviewedRow
    from ...compare.training_data.splitting import Split
    from ...compare.tuning.data import CheckedData
    from ...compare.tuning.plan import TuningPlan


class _Counts(click.ParamType):
    """Numbers of rows, apart by commas."""

    name = "counts"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        parts = str(value).split(",")
        if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
            self.fail(f"{value!r} is no list of numbers; give one such as 25,50,100.", param, ctx)
        counts = tuple(sorted({int(part) for part in parts}))
        if counts[0] < 1:
            self.fail(f"{value!r} has a 0; an adapter needs at least one row.", param, ctx)
        return counts


@click.command("tune")
@click.option("--base", required=True, metavar="MODEL", shell_complete=complete_model, help="The base model: a GGUF file, or a name from `llamadiff models`.")  # fmt: skip
@click.option("--data", "file", required=True, metavar="FILE", shell_complete=complete_rows, help="Rows to learn: .jsonl or .csv of chats, instructions, preferences, or a prompt's variables and what is expected; or the name of rows that ship.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="ADAPTER.gguf", help="The adapter to write; one that is there is replaced.")  # fmt: skip
@click.option("-p", "--prompt", metavar="PROMPT", shell_complete=complete_prompt, help="The prompt that rows are put to. [none: what rows say is asked as it is]")  # fmt: skip
@click.option("--suite", "suites", multiple=True, metavar="SUITE", shell_complete=complete_suite, help="A suite whose rows must not be learned; repeat for others.")  # fmt: skip
@click.option("--eval", "evaluated", multiple=True, metavar="SUITE", shell_complete=complete_suite, help="A suite to run with the adapter beside its own variants; its rows must not be learned either.")  # fmt: skip
@click.option("--rows", type=_Counts(), metavar="N,N…", help="Train on so many rows; of several numbers, an adapter ADAPTER.N.gguf for each. A larger number holds a smaller one's. [all but those held out]")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="K=V", callback=pairs, shell_complete=complete_tuning_setting, help="A setting, as epochs=3, learning_rate=0.001, rank=16, validation=0.1 or seed=0.")  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="The Hugging Face folder that the base was made of, to train on instead of its file.")  # fmt: skip
@click.option("-t", "--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads. [physical cores; 1 for very small models]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with a training of the same adapter that did not end.")  # fmt: skip
@click.option("--check", is_flag=True, help="Read and check the rows, and train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def tune_command(
    base: str,
    file: str,
    out: Path | None,
    prompt: str | None,
    suites: tuple[str, ...],
    evaluated: tuple[str, ...],
    rows: tuple[int, ...] | None,
    settings: dict[str, str],
    weights: Path | None,
    threads: int | None,
    resume: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Train a LoRA adapter of a base model on rows of data, and say what it is worth.

    Rows are rendered with the model's own chat template and tokenized as the engine is given them;
    what the assistant says, and the token that ends it, is learned. The adapter's path goes to
    stdout, what happens to stderr. ctrl+c stops the training and keeps the best adapter so far;
    --resume goes on. --eval runs a suite with its own variants and with the adapter, and ends with
    what follows for prompting and fine-tuning, as `llamadiff eval` does.

    The exit code is 1 when a requirement of such a suite is not met; with --check, when something
    grave is found: rows that a suite asks, contradictions, rows that are left out.

    \b
    llamadiff tune --base demo --data sentiment -p sentiment -o mine.gguf --eval sentiment
    llamadiff tune --base demo --data reviews.jsonl -p sentiment --suite sentiment --check
    """
    if check and (out is not None or resume):
        raise click.UsageError("--check trains nothing: -o and --resume do not go with it.")
    if not check and out is None:
        raise click.UsageError("Give -o ADAPTER.gguf, or --check to check the rows alone.")
    from ...compare.evaluation.shipped import find_suite
    from ...compare.training_data.shipped import find_rows
    from ...compare.tuning.plan import TuningPlan
    from ..config.current import configured
    from ..paths import suite_folders

    folders = suite_folders()
    held, asked = ([find_suite(name, folders).absolute() for name in dict.fromkeys(names)] for names in (suites, evaluated))  # fmt: skip
    plan = TuningPlan(
        base=base_model(open_catalog(), base).facts.path.absolute(),
        data=find_rows(file).absolute(),
        out=(out or Path("adapter.gguf")).absolute(),
        prompt=open_library().resolve(prompt) if prompt else None,
        suites=tuple(held),
        evaluated=tuple(asked),
        rows=rows or (),
        settings=settings,
        weights=weights and weights.absolute(),
        threads=threads or configured().config.threads,
    )
    return _check(plan, as_json=as_json) if check else _train(plan, resume=resume, as_json=as_json)


def _check(plan: TuningPlan, *, as_json: bool) -> int:
    from ...compare.training_data.document import data_document
    from .training import checked

    found = asyncio.run(checked(plan))
    if found.problem:
        note(found.problem)
    if as_json:
        document = data_document(found.report, found.split, found.preview)
        estimates = [asdict(it) for it in found.estimates]
        print_json(
            {**document, "problem": found.problem or None, "estimates": estimates}, indent=True
        )
    else:
        _print(found, plan)
    return 0 if found.report.sound and not found.problem else 1


def _train(plan: TuningPlan, *, resume: bool, as_json: bool) -> int:
    from ...compare.tuning.document import tuning_document
    from ...compare.tuning.tuner import refuse
    from .commands import Exit
    from .training import interruptible, say_going_on, train, work_of

    refuse(plan)
    for suite in plan.evaluated:
        _evaluation(plan, suite)  # what is wrong with it is told before anything is trained

    def say(found: CheckedData) -> None:
        _say_findings(found, plan)

    documents, met = list[dict[str, Any]](), True
    with interruptible(plan):
        rows, records, came = asyncio.run(train(plan, resume=resume, on_data=say))
        for it in records if not as_json else ():
            if it.done:
                data(it.done.adapter)
        for suite in plan.evaluated if not came else ():
            found, board, decision = _evaluate(plan, suite, resume=resume, hashes=as_json)
            met = met and board.met
            if as_json:
                documents.append(found.document(board, decision))
                continue
            data("")
            print_scores(found.plan, board, found.answers)
            if decision is not None:
                print_decision(decision)
    if as_json:
        print_json(tuning_document(plan, rows, records, documents), indent=True)
    if came:
        say_going_on(plan)
        return 128 + came
    work_of(plan).discard()
    return Exit.DONE if met else Exit.NO


def _evaluation(
    plan: TuningPlan, path: Path, kept: Evaluations | None = None
) -> tuple[Plan, list[Other], list[str]]:
    """What is run of a suite once there are adapters. Raises a mistake."""
    from ...compare.errors import CompareError
    from ...compare.evaluation.decision.elsewhere import others_of
    from ...compare.evaluation.reading import load_suite
    from ...compare.tuning.after import tuned_plan
    from ..paths import suite_folders

    suite = load_suite(path)
    if suite.code:
        raise CompareError(
            f"{suite.path} checks answers with Python code, which tuning does not run; train "
            "without it, and then run `llamadiff eval --allow-code`."
        )
    asked = Asked()
    made = tuned_plan(suite, plan, asked.defaults(), asked.settings(), kept=kept)
    others, missing = others_of(made, asked.defaults(), suite_folders(), kept=kept)
    return made, others, missing


def _evaluate(
    plan: TuningPlan, path: Path, *, resume: bool, hashes: bool
) -> tuple[Kept, Scoreboard, dict[str, Any] | None]:
    """Run a suite with the adapters, as `llamadiff eval` does."""
    from .evaluation import beginning, carry_out_plan
    from .session import open_history

    with open_history() as history:
        made, others, missing = _evaluation(plan, path, history.evaluations)
        resume = resume and history.evaluations.unfinished(made) is not None
    note(beginning(made))
    for said in (*made.notes, *missing):
        note(said)
    found, decision = asyncio.run(carry_out_plan(Asked(), made, others, missing, resume, hashes))
    return found, found.board(), decision


def _say_findings(found: CheckedData, plan: TuningPlan) -> None:
    """What is to be known of the rows before they are trained on."""
    from ...compare.training_data.words import sentence, summary

    note(summary(found.report))
    for it in found.report.findings:
        note(f"{'✗' if it.grave else '·'} {sentence(it)}")
    if found.split is not None:
        note(_parts(found.split, plan))


def _parts(split: Split, plan: TuningPlan) -> str:
    there = f"{len(split.train):,}"
    if plan.rows:
        there = f"{', '.join(f'{count:,}' for count in plan.rows)} of {there}"
    return f"{there} to train on, {len(split.validation):,} to validate with."


def _print(found: CheckedData, plan: TuningPlan) -> None:
    from ...compare.training_data.words import cases, class_counts, sentence, summary
    from .training import estimate

    report = found.report
    data(summary(report))
    if counts := class_counts(report):
        data(f"Answers: {counts}.")
    if found.split is not None:
        data(_parts(found.split, plan))
    for it in found.estimates:
        data(f"Training on them: {estimate(it)}.")
    for finding in report.findings:
        data("")
        data(f"{'✗' if finding.grave else '·'} {sentence(finding)}")
        for case in cases(finding):
            data(f"    {case}")
        if finding.count > len(finding.cases):
            data(f"    and {finding.count - len(finding.cases):,} more")
    if not report.findings:
        data("Nothing is wrong with them.")
    for row in found.preview:
        data(f"\nline {row.line}{', ' if row.title else ''}{row.title}, ⟦learned⟧:")
        data(_marked(row))


def _marked(row: PreviewedRow) -> str:
    """The text with what is learned between brackets."""
    parts: list[str] = []
    at = 0
    for start, end in row.learned:
        parts += [row.text[at:start], "⟦", row.text[start:end], "⟧"]
        at = end
    return "".join([*parts, row.text[at:]])
