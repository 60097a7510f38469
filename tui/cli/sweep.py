"""`llamadiff sweep`: one variant at several values of one setting."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from ..safe_text import safe_line, safe_text
from .options import Asked, variant_options
from .printing import data, note, print_json, table

if TYPE_CHECKING:
    from ...compare.run import Run
    from ...compare.sweep import Axis, Point

SHOWN = 60
BARS = "▁▂▃▄▅▆▇█"


@click.command("sweep")
@variant_options
@click.option("--over", required=True, metavar="NAME=VALUES", help="What is swept: scale, an adapter's name or a sampling setting, as START:STOP:STEP or V,V,….")  # fmt: skip
@click.option("--repeat", default=1, type=click.IntRange(1, 1000), metavar="N", help="Run each value N times; repeat i uses seed + i.")  # fmt: skip
@click.option("--texts", is_flag=True, help="Print every distinct output, not only its beginning.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def sweep_command(asked: Asked, over: str, repeat: int, texts: bool, as_json: bool) -> None:
    """Run one variant at several values of one setting, and show what that changes.

    SAME is the share of words in common with the output at the first value.

    \b
    llamadiff sweep -p support -a support --over scale=0:1.5:0.25
    llamadiff sweep -p tell-me-about --over temperature=0,0.5,1 --repeat 8
    """
    if asked.variants or asked.each:
        raise click.UsageError(
            "sweep takes one variant: use -m, -a, -p and --set, not --variant or --each."
        )
    from ...compare.sweep import parse_axis, points, sweep_document, swept
    from .session import carry_out, raise_failed

    axis = parse_axis(over)
    run = carry_out(
        asked, repeats=repeat, hashes=as_json, change=lambda variants: swept(variants[0], axis)
    )
    raise_failed(run)
    if as_json:
        print_json(sweep_document(run, axis, version("llamadiff")), indent=True)
    else:
        _print(run, axis, points(run, axis), texts)


def _print(run: Run, axis: Axis, found: list[Point], texts: bool) -> None:
    rows = [(safe_line(axis.name).upper(), "SAME", "", "WORDS", "DISTINCT", "OUTPUT")]
    for point in found:
        first = safe_line(" ".join(point.groups[0].output.text.split()))
        rows.append(
            (
                f"{point.value:g}",
                f"{point.similarity:.0%}",
                BARS[min(len(BARS) - 1, int(point.similarity * len(BARS)))],
                f"{point.words:.0f}",
                f"{len(point.groups)} of {sum(it.count for it in point.groups)}",
                first if len(first) <= SHOWN else f"{first[: SHOWN - 1]}…",
            )
        )
    table(rows)
    if texts:
        for point in found:
            for group in point.groups:
                data(
                    f"\n── {safe_line(axis.name)} {point.value:g} · {group.count} of {sum(it.count for it in point.groups)} ──"
                )
                data(safe_text(group.output.text))
    outputs = run.outputs
    note(f"{len(outputs)} outputs, {sum(len(output.tokens) for output in outputs):,} tokens")
