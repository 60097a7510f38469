"""`llamadiff tune`: check the rows that an adapter is to be trained on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asked import Asked
from .found import base_model, open_catalog, open_library
from .options import complete_model, complete_prompt, complete_suite, pairs
from .printing import data, note, print_json
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...compare.evaluation.suite import Suite
    from ...compare.training_data.findings import Report
    from ...compare.training_data.preview import PreviewedRow
    from ...compare.training_data.settings import DataSettings
    from ...compare.training_data.splitting import Split
    from ...prompts.document import Prompt

PREVIEWED = 3
"""Examples that are shown."""


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
@click.option("--data", "file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Rows to learn: .jsonl or .csv of chats, instructions, preferences, or a prompt's variables and what is expected.")  # fmt: skip
@click.option("-p", "--prompt", metavar="PROMPT", shell_complete=complete_prompt, help="The prompt that rows are put to. [none: what rows say is asked as it is]")  # fmt: skip
@click.option("--suite", "suites", multiple=True, metavar="SUITE", shell_complete=complete_suite, help="A suite whose rows must not be learned; repeat for others.")  # fmt: skip
@click.option("--check", is_flag=True, help="Read and check the rows, and train nothing.")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="ADAPTER.gguf", help="The adapter to write.")  # fmt: skip
@click.option("--rows", type=_Counts(), metavar="N,N…", help="An adapter for each of these numbers of rows; a larger number holds a smaller one's.")  # fmt: skip
@click.option("--eval", "evaluated", multiple=True, metavar="SUITE", shell_complete=complete_suite, help="A suite to run with the adapter; its rows must not be learned either.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with a training that did not end.")
@click.option("--set", "settings", multiple=True, metavar="K=V", callback=pairs, help="A setting, as sequence_length=1024, validation=0.1 or seed=0.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def tune_command(
    base: str,
    file: Path,
    prompt: str | None,
    suites: tuple[str, ...],
    check: bool,
    out: Path | None,
    rows: tuple[int, ...] | None,
    evaluated: tuple[str, ...],
    resume: bool,
    settings: dict[str, str],
    as_json: bool,
) -> int:
    """Check the rows that an adapter of a base model is to be trained on.

    Rows are rendered with the model's own chat template and tokenized as the engine is given them;
    what the assistant says, and the token that ends it, is learned. The exit code is 1 when
    something grave is found: rows that a suite asks, contradictions, rows that are left out.

    \b
    llamadiff tune --base demo --data reviews.jsonl -p sentiment --suite sentiment --check
    """
    if not check:
        raise click.UsageError("Training is not there yet: give --check, which checks the rows.")
    if out is not None or resume:
        raise click.UsageError("--check trains nothing: -o and --resume do not go with it.")
    from ...compare.evaluation.reading import load_suite
    from ...compare.evaluation.shipped import find_suite
    from ...compare.training_data.document import data_document
    from ...compare.training_data.settings import parse_data_settings
    from ..paths import suite_folders

    wanted = parse_data_settings(settings)
    found = base_model(open_catalog(), base).facts.path
    given = open_library().resolve(prompt) if prompt else None
    folders = suite_folders()
    named = dict.fromkeys(find_suite(name, folders) for name in (*suites, *evaluated))
    report, split, previewed = asyncio.run(
        _checked(found, file, given, [load_suite(path) for path in named], wanted)
    )
    if rows and split is not None:
        split.first(rows[-1])
    if as_json:
        print_json(data_document(report, split, previewed), indent=True)
    else:
        _print(report, split, previewed)
    return 0 if report.sound and split is not None else 1


async def _checked(
    base: Path, file: Path, prompt: Prompt | None, suites: Sequence[Suite], wanted: DataSettings
) -> tuple[Report, Split | None, list[PreviewedRow]]:
    """What is found, the split where there is one, and the first rows. Raises a mistake."""
    from ...compare.errors import CompareError
    from ...compare.training_data.checking import Data
    from ...compare.training_data.examples import read_examples
    from ...compare.training_data.leakage import held_out
    from ...compare.training_data.preview import previewed
    from ...compare.training_data.splitting import split
    from ...compare.training_data.tokens import prepare
    from .session import runner

    async with runner(Asked(history=False)) as it:
        library, renderer = open_library(), it.renderer
        held = [held_out(suite, library, renderer) for suite in suites]
        source = await asyncio.to_thread(read_examples, file, prompt, renderer)
        with ProgressLine() as line:
            it.facts(base)  # raises what the engine would refuse
            model = await it.engine.load(
                base, it.settings, lambda share: line.show("loading", share, "")
            )
            prepared = await prepare(
                it, model, source,
                lambda done, of: line.show("tokenizing", done / of, f"{done:,} of {of:,}"),
            )  # fmt: skip
        checked = Data(prepared, wanted.sequence_length)
        report = await asyncio.to_thread(checked.check, held)
        try:
            parts = split(
                checked.usable, checked.classes, share=wanted.validation, seed=wanted.seed
            )
        except CompareError as error:
            note(str(error))
            parts = None
        return report, parts, await previewed(it.engine, prepared, checked.usable[:PREVIEWED])


def _print(report: Report, split: Split | None, rows: Sequence[PreviewedRow]) -> None:
    from ...compare.training_data.words import cases, class_counts, sentence, summary

    data(summary(report))
    if counts := class_counts(report):
        data(f"Answers: {counts}.")
    if split is not None:
        data(f"{len(split.train):,} to train on, {len(split.validation):,} to validate with.")
    for finding in report.findings:
        data("")
        data(f"{'✗' if finding.grave else '·'} {sentence(finding)}")
        for case in cases(finding):
            data(f"    {case}")
        if finding.count > len(finding.cases):
            data(f"    and {finding.count - len(finding.cases):,} more")
    if not report.findings:
        data("Nothing is wrong with them.")
    for row in rows:
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
