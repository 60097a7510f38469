"""`llamadiff sweep`: one variant at several values of one setting."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from ..noise_words import percent
from ..safe_text import safe_line, safe_text
from .options import Asked, variant_options
from .printing import data, note, print_json, table
from .turns import repeat_option, stream_option, teller

if TYPE_CHECKING:
    from ...compare.run import Run
    from ...compare.runner import Runner
    from ...compare.sweep import Axis, Point

SHOWN = 60
BARS = "▁▂▃▄▅▆▇█"


@click.command("sweep")
@variant_options
@click.option("--over", required=True, metavar="NAME=VALUES", help="What is swept: scale, an adapter's name or a sampling setting, as START:STOP:STEP or V,V,….")  # fmt: skip
@repeat_option("Run each value N times; repeat i uses seed + i.")
@click.option("--texts", is_flag=True, help="Print every distinct output, not only its beginning.")
@click.option("--text", metavar="TEXT", help="Also show how likely each value finds this text.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@stream_option
def sweep_command(
    asked: Asked,
    over: str,
    repeat: int,
    texts: bool,
    text: str | None,
    as_json: bool,
    stream: bool,
) -> None:
    """Run one variant at several values of one setting, and show what that changes.

    SAME AS is the share that the output has in common with that at the first value, TEXTS how many
    outputs differ among the repeats. With --text, LIKELIHOOD is the mean log-probability of its
    tokens in nats: nearer to 0 is likelier.

    \b
    llamadiff sweep -p support -a support --over scale=0:1.5:0.25
    llamadiff sweep -p tell-me-about --over temperature=0,0.5,1 --repeat 8
    """
    if asked.variants or asked.each:
        raise click.UsageError(
            "sweep takes one variant: use -m, -a, -p and --set, not --variant or --each."
        )
    on_change = teller(stream, as_json)
    from ...compare.sweep import parse_axis, points, sweep_document, swept
    from ...models.engine.samplers import FIELDS
    from .session import carry_out, raise_failed

    axis = parse_axis(over)
    scores: list[float] = []

    async def score(runner: Runner, run: Run) -> None:
        from ...compare.lens import mean_logprob

        for variant in run.variants if text is not None else ():
            found = await mean_logprob(runner, variant, run.values, text or "", exact=run.exact)
            scores.append(found)

    if text is not None and axis.name in FIELDS:
        raise click.UsageError(
            f"--text: {axis.name} leaves the likelihood of a text as it is; sweep a scale."
        )
    run = carry_out(
        asked,
        repeats=repeat,
        hashes=as_json,
        on_change=on_change,
        change=lambda variants: swept(variants[0], axis),
        after=score,
    )
    raise_failed(run)
    if as_json:
        document = sweep_document(run, axis, version("llamadiff"), scores)
        print_json(document, indent=not stream)
    else:
        _print(run, axis, points(run, axis), scores, texts)


def _print(run: Run, axis: Axis, found: list[Point], scores: list[float], texts: bool) -> None:
    from ...compare.reasoning import answer_of

    likely = ["LIKELIHOOD"] * bool(scores)
    same = f"SAME AS {axis.values[0]:g}"
    rows = [(safe_line(axis.name).upper(), *likely, same, "", "WORDS", "TEXTS", "OUTPUT")]
    for number, point in enumerate(found):
        first = safe_line(" ".join(answer_of(point.groups[0].output).split()))
        rows.append(
            (
                f"{point.value:g}",
                *(f"{it:.3f}".replace("-", "−") for it in scores[number : number + 1]),
                percent(point.similarity),
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
