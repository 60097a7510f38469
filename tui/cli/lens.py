"""`llamadiff lens`: one text under two variants, token by token."""

from __future__ import annotations

import asyncio
import codecs
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..heat import STEPS
from ..safe_text import safe_line
from .asked import Asked
from .options import variant_options
from .printing import coloured, data, note, print_json

if TYPE_CHECKING:
    from ...compare.lens import Lens, View
    from ...compare.variants import Variant

LARGEST_TEXT = 1_000_000
LIKELIER, UNLIKELIER = ("green", "bright_green"), ("red", "bright_red")
WIDEST = 24


@click.command("lens")
@variant_options
@click.option("--text", metavar="TEXT", help="The text to look at. [what the first variant says]")
@click.option("--text-file", type=click.Path(path_type=Path), metavar="FILE", help="Take the text from a file; - is standard input.")  # fmt: skip
@click.option("--top", default=3, type=click.IntRange(0, 100), metavar="N", help="Alternatives told for each token. [3]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def lens_command(
    asked: Asked, text: str | None, text_file: Path | None, top: int, as_json: bool
) -> None:
    """Show how likely two variants find every token of one text.

    Nothing is sampled: both are given the same text after their prompts. A token that the second
    variant finds likelier than the first is marked +, one it finds unlikelier -.

    \b
    llamadiff lens -p support --variant label=base --variant adapter=support
    """
    if len(asked.variants) != 2 or asked.each:
        raise click.UsageError("lens compares two variants: give --variant twice, and no --each.")
    if text is not None and text_file is not None:
        raise click.UsageError("Give --text or --text-file, not both.")
    given = _read(text_file) if text_file is not None else text
    first, second = asked.make_variants()
    lens = asyncio.run(_look(asked, (first, second), given, top))
    from ...compare.lens import lens_document

    if as_json:
        print_json(lens_document(lens), indent=True)
    else:
        _print(lens)


def _read(path: Path) -> str:
    from ...compare.errors import CompareError

    try:
        if str(path) == "-":
            text = sys.stdin.buffer.read(LARGEST_TEXT + 1)
        else:
            with path.open("rb") as file:
                text = file.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise CompareError(f"{path} cannot be read: {error.strerror}.") from None
    if len(text) > LARGEST_TEXT:
        raise CompareError(f"{path} is larger than {LARGEST_TEXT // 1_000_000} MB.")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CompareError(f"{path} is not UTF-8 text.") from None


async def _look(asked: Asked, pair: tuple[Variant, Variant], text: str | None, top: int) -> Lens:
    from ...compare.errors import CompareError
    from ...compare.lens import look
    from ...compare.run import new_run
    from ...models.engine.client import EngineError
    from .session import runner

    first, second = pair
    async with runner(asked) as it:
        answer: str | list[int] | None = text
        if answer is None:
            run = new_run([first], asked.values, exact=asked.exact)
            await it.run(run, strict=True)
            (output,) = run.outputs
            if output.error:
                raise (CompareError if output.refused else EngineError)(output.error)
            answer = output.tokens
        return await look(it, (first, second), asked.values, answer, top=top, exact=asked.exact)


def _print(lens: Lens) -> None:
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    data("".join(_painted(decode(it.piece), it.delta) for it in lens.tokens))
    data("")
    widths = [max(6, *(len(_word(it.piece)) for it in lens.tokens)), 16, 16, 7]
    widths[0] = min(widths[0], WIDEST)
    heads = ["TOKEN", lens.a.name, lens.b.name, "B − A"]
    data(
        "  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True))
        + "  INSTEAD"
    )
    for it in lens.tokens:
        cells = [_word(it.piece), _seen(it.a), _seen(it.b), f"{it.delta:+.2f}"]
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        data(f"{line}  {_instead(it.a, it.token)} → {_instead(it.b, it.token)}")
    for variant, summary in zip((lens.a, lens.b), lens.summaries, strict=True):
        note(
            f"{variant.name} · {safe_line(variant.title)}: log-likelihood {summary.logprob:,.2f}, "
            f"perplexity {summary.perplexity:,.3g}"
        )
    note(f"{len(lens.tokens):,} tokens, {lens.mean_delta:+.3f} nats a token")


def _word(piece: bytes) -> str:
    word = repr(piece.decode("utf-8", "replace"))[1:-1]
    return word if len(word) <= WIDEST else word[: WIDEST - 1] + "…"


def _seen(view: View) -> str:
    chance = math.exp(view.logprob)
    said = f"{chance:.2%}" if chance >= 0.0001 else "<0.01%"
    return f"{said:>7} #{view.rank:<5,}"


def _instead(view: View, token: int) -> str:
    """What the variant would rather have said."""
    others = [it for it in view.top if it.token != token]
    if view.rank == 1 or not others:
        return "="
    return f"{_word(others[0].piece)!r} {math.exp(others[0].logprob):.0%}"


def _painted(text: str, delta: float) -> str:
    """A token's text, marked by how its probability changes."""
    level = sum(abs(delta) >= step for step in STEPS)
    shown = "\n".join(safe_line(line) for line in text.split("\n"))
    if not level or not text:
        return shown
    if not coloured():
        return f"{{{'+' if delta > 0 else '-'}{shown}}}"
    colours = LIKELIER if delta > 0 else UNLIKELIER
    return click.style(shown, fg=colours[level > 1], underline=delta > 0, reverse=level > 2)
