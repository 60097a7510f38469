"""`llamadiff run`: all variants once, as text or as the JSON document."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from ..safe_text import safe_line, safe_text
from .options import Asked, variant_options
from .printing import data, note, outcome, print_json

if TYPE_CHECKING:
    from ...compare.run import Output


@click.command("run")
@variant_options
@click.option(
    "--repeat",
    default=1,
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Run each variant N times; repeat i uses seed + i.",
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

    def tell(output: Output, text: str) -> None:
        print_json({"variant": output.variant.name, "repeat": output.repeat, "text": text})

    run, hello = carry_out(
        asked, repeats=repeat, logprobs=logprobs, hashes=as_json, on_text=tell if stream else None
    )
    if as_json:
        print_json(run_document(run, hello, version("llamadiff")), indent=not stream)
        raise_failed(run)
        return
    alone = len(run.outputs) == 1
    for output in run.outputs:
        if not alone:
            data(
                f"── {output.variant.name} · {safe_line(output.variant.title)} · seed {output.seed} ──"
            )
        data(output.text if raw else safe_text(output.text))
        note(outcome(output))
    raise_failed(run)
