"""`llamadiff run`: all variants once, as text or as the JSON document."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from ..safe_text import safe_line
from .options import Asked, variant_options
from .printing import data, note, outcome, print_json

if TYPE_CHECKING:
    from ...compare.run import Output, Run

SHOWN = 60
"""Characters of an output that stand for it."""


@click.command("run")
@variant_options
@click.option(
    "--repeat",
    default=1,
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Run each variant N times, repeat i with seed + i, and count outputs that are alike.",
)
@click.option(
    "--logprobs",
    default=0,
    type=click.IntRange(0, 1000),
    metavar="N",
    help="Record each token's log-probability and N alternatives.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--stream",
    is_flag=True,
    help="With --json: a line for each piece of text as it comes, the document last.",
)
@click.option(
    "--raw",
    is_flag=True,
    help="Do not make control characters visible; only when stdout is not a terminal.",
)
def run_command(asked: Asked, repeat: int, logprobs: int, as_json: bool, stream: bool, raw: bool) -> None:  # fmt: skip
    """Run variants once and print what they say.

    \b
    llamadiff run -p tell-me-about --var topic=cats
    llamadiff run -p support --variant label=plain --variant adapter=support@0.8
    """
    if raw and sys.stdout.isatty():
        raise click.UsageError("--raw works only when the output goes to a file or a pipe.")
    if stream and not as_json:
        raise click.UsageError("--stream goes with --json.")
    from ...compare.document import run_document
    from .session import carry_out, raise_failed

    if as_json:
        run = carry_out(
            asked,
            repeats=repeat,
            logprobs=logprobs,
            hashes=True,
            on_change=tell if stream else None,
        )
        print_json(run_document(run, version("llamadiff")), indent=not stream)
    else:
        printer = Printer(raw)
        run = carry_out(asked, repeats=repeat, logprobs=logprobs, on_change=printer.print)
        printer.print(run)
        if repeat > 1:
            print_groups(run)
    raise_failed(run)


def tell(run: Run, output: Output, text: str) -> None:
    """A line for each piece of text."""
    if text:
        print_json({"variant": output.variant.name, "repeat": output.repeat, "text": text})


def print_groups(run: Run) -> None:
    """A line for each distinct output of each variant, the most frequent first: how many are so."""
    from ...compare.groups import groups_of

    data("")
    for variant in run.variants:
        outputs = run.of(variant)
        groups = groups_of(outputs)
        total = sum(group.count for group in groups)
        for group in groups:
            text = safe_line(" ".join(outputs[group.first].text.split()))
            alike = "" if group.same else " alike"
            said = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
            data(f"{variant.name}  {group.count} of {total}{alike}: {said}")


class Printer:
    """Prints outputs in their order, each as soon as it and those before it are over."""

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._printed = 0

    def print(self, run: Run, output: Output | None = None, text: str = "") -> None:
        """Print what can be printed by now."""
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
