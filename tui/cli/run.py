"""`llamadiff run`: all variants once, as text or as the JSON document."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from ..safe_text import safe_line
from .options import Asked, variant_options
from .printing import data, note, outcome, print_json
from .turns import repeat_option, replies_option, stream_option, teller

if TYPE_CHECKING:
    from ...compare.run import Output, Run

SHOWN = 60
"""Characters of an output that stand for it."""


@click.command("run")
@variant_options
@repeat_option(
    "Run each variant N times, repeat i with seed + i, and count outputs that are alike."
)
@click.option(
    "--logprobs",
    default=0,
    type=click.IntRange(0, 1000),
    metavar="N",
    help="Record each token's log-probability and N alternatives.",
)
@replies_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@stream_option
@click.option(
    "--raw",
    is_flag=True,
    help="Do not make control characters visible; only when stdout is not a terminal.",
)
def run_command(
    asked: Asked,
    repeat: int,
    logprobs: int,
    replies: tuple[str, ...],
    as_json: bool,
    stream: bool,
    raw: bool,
) -> None:
    """Run variants once and print what they say.

    With --repeat, lines at the end count the kinds of outputs: `A  3 of 8: …` are three with this
    text, `A  3 of 8 alike: …` three that have nine of ten words in common with it. The second output
    of A is A.2; in JSON its `repeat` is 1, since that counts from 0.

    \b
    llamadiff run -p tell-me-about --var topic=cats
    llamadiff run -p support --variant label=plain --variant adapter=support@0.8
    llamadiff run -p support --reply "Size M, please." --reply "In blue?"
    """
    if raw and sys.stdout.isatty():
        raise click.UsageError("--raw works only when the output goes to a file or a pipe.")
    on_change = teller(stream, as_json)
    from ...compare.document import conversation_document
    from .session import converse, raise_failed

    if as_json:
        runs = converse(
            asked,
            replies,
            repeats=repeat,
            logprobs=logprobs,
            hashes=True,
            on_change=on_change,
        )
        print_json(conversation_document(runs, version("llamadiff")), indent=not stream)
    else:
        printer = Printer(raw)
        runs = converse(asked, replies, repeats=repeat, logprobs=logprobs, on_change=printer.print)
        printer.print(runs[-1])
        if repeat > 1:
            print_groups(runs[-1])
    raise_failed(runs[-1])


def print_groups(run: Run) -> None:
    """A line for each distinct output of each variant, the most frequent first: how many are so."""
    from ...compare.groups import groups_of
    from ...compare.reasoning import answer_of

    data("")
    for variant in run.variants:
        outputs = run.of(variant)
        groups = groups_of(outputs)
        total = sum(group.count for group in groups)
        for group in groups:
            text = safe_line(" ".join(answer_of(outputs[group.first]).split()))
            alike = "" if group.same else " alike"
            said = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
            data(f"{variant.name}  {group.count} of {total}{alike}: {said}")


class Printer:
    """Prints outputs in their order, each as soon as it and those before it are over."""

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._run: Run | None = None
        self._printed = 0

    def print(self, run: Run, output: Output | None = None, text: str = "") -> None:
        """Print what can be printed by now."""
        if run is not self._run:
            if self._run is not None:
                data(f"── you · {safe_line(run.outputs[0].reply)} ──")
            self._run, self._printed = run, 0
        while self._printed < len(run.outputs) and run.outputs[self._printed].state.over:
            output = run.outputs[self._printed]
            self._printed += 1
            if output.refused:
                continue
            if len(run.outputs) > 1:
                title = safe_line(output.variant.title)
                data(f"── {output.variant.name} · {title} · seed {output.seed} ──")
            data(output.text, raw=self._raw)
            note(outcome(output))
