"""`llamadiff lens`: one text under two variants, token by token."""

from __future__ import annotations

import asyncio
import codecs
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..heat import change
from ..parting_words import parting_words
from ..safe_text import safe_line
from .asked import Asked
from .options import variant_options
from .printing import coloured, data, note, print_json

if TYPE_CHECKING:
    from ...compare.lens import Lens, LensToken, View
    from ...compare.parting import Parting
    from ...compare.run import Output
    from ...compare.runner import Runner
    from ...compare.variants import Variant

LARGEST_TEXT = 1_000_000
LIKELIER, UNLIKELIER = ("green", "bright_green"), ("red", "bright_red")
WIDEST = 24


@click.command("lens")
@variant_options
@click.option("--text", metavar="TEXT", help="The text to look at. [what the first variant says]")
@click.option("--text-file", type=click.Path(path_type=Path), metavar="FILE", help="Take the text from a file; - is standard input.")  # fmt: skip
@click.option("--top", default=3, type=click.IntRange(0, 100), metavar="N", help="Alternatives told for each token. [3]")  # fmt: skip
@click.option("--part", is_flag=True, help="Run both, and tell where the two outputs part and what either prefers there.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line of figures for each token, as CSV.")  # fmt: skip
def lens_command(
    asked: Asked,
    text: str | None,
    text_file: Path | None,
    top: int,
    part: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show how likely two variants find every token of one text.

    Nothing is sampled: both are given the same text after their prompts. A token that the second
    variant finds likelier than the first is marked +, one it finds unlikelier -, where the difference
    is more than rounding: the numbers are computed once more, cut into other pieces.

    \b
    llamadiff lens -p support --variant label=base --variant adapter=support
    llamadiff lens -p support --variant adapter=none --variant adapter=support --part
    """
    if len(asked.variants) != 2 or asked.each:
        raise click.UsageError("lens compares two variants: give --variant twice, and no --each.")
    if text is not None and text_file is not None:
        raise click.UsageError("Give --text or --text-file, not both.")
    if (as_json and as_csv) or (part and as_csv):
        raise click.UsageError("--csv goes with neither --json nor --part.")
    if part and not (text is None and text_file is None):
        raise click.UsageError("--part looks at what the variants say; leave out the text.")
    given = _read(text_file) if text_file is not None else text
    first, second = asked.make_variants()
    seen = asyncio.run(_look(asked, (first, second), given, top, part))
    from ...compare.lens import lens_csv, lens_document
    from ...compare.parting import parting_document

    if as_json:
        parting = {"parting": seen.parting and parting_document(seen.parting)} if part else {}
        print_json({**lens_document(seen.lens, seen.rounding), **parting}, indent=True)
    elif as_csv:
        data(lens_csv(seen.lens).rstrip("\r\n"), raw=True)
    else:
        _print(seen)
        if part:
            _print_parting(seen)


@dataclass(frozen=True)
class _Seen:
    """A lens, what is rounding in it, in nats, and where the two outputs part, if that was looked
    for and they do; `ended` has the finish reasons of both."""

    lens: Lens
    rounding: float
    parting: Parting | None = None
    ended: tuple[str | None, str | None] = (None, None)


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


async def _look(
    asked: Asked, pair: tuple[Variant, Variant], text: str | None, top: int, part: bool
) -> _Seen:
    from ...compare.lens import look
    from ...compare.parting import find_parting
    from ...compare.rounding import rounding
    from .session import runner

    values, exact = asked.values, asked.exact
    async with runner(asked) as it:
        said = (
            [await _said(it, asked, variant) for variant in pair[: 1 + part]]
            if text is None
            else []
        )
        answer = said[0].tokens if text is None else text
        lens = await look(it, pair, values, answer, top=top, exact=exact)
        moved = await rounding(it, lens, values, exact=exact)
        if not part:
            return _Seen(lens, moved)
        one, two = said
        other = await look(it, pair, values, two.tokens, top=top, exact=exact)
        parting = await find_parting(it, lens, other, values, exact=exact)
        return _Seen(lens, moved, parting, (one.finish_reason, two.finish_reason))


async def _said(it: Runner, asked: Asked, variant: Variant) -> Output:
    """What a variant says. Raises CompareError or EngineError where it could not."""
    from ...compare.errors import CompareError
    from ...compare.run import new_run
    from ...models.engine.client import EngineError

    run = new_run([variant], asked.values, exact=asked.exact)
    await it.run(run, strict=True)
    (output,) = run.outputs
    if output.error:
        raise (CompareError if output.refused else EngineError)(output.error)
    return output


def _print(seen: _Seen) -> None:
    lens, decode = seen.lens, codecs.getincrementaldecoder("utf-8")("replace").decode
    data("".join(_painted(decode(it.piece), it, seen.rounding) for it in lens.tokens))
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
    moved = f"moves one by {seen.rounding:.2g} at most" if seen.rounding else "moves nothing"
    note(f"{len(lens.tokens):,} tokens, {lens.mean_delta:+.3f} nats a token; rounding {moved}")


def _print_parting(seen: _Seen) -> None:
    a, b = seen.lens.a.name, seen.lens.b.name
    data("")
    if seen.parting is None:
        data(f"{a} and {b} say the same: there is nothing where they part.")
        return
    for sentence in parting_words(seen.parting, a, b, seen.ended):
        data(safe_line(sentence))


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


def _painted(text: str, it: LensToken, rounding: float) -> str:
    """A token's text, marked by how its probability changes."""
    marked = change(it, rounding)
    level, likelier = abs(marked), marked > 0
    shown = "\n".join(safe_line(line) for line in text.split("\n"))
    if not level or not text:
        return shown
    if not coloured():
        return f"{{{'+' if likelier else '-'}{shown}}}"
    colours = LIKELIER if likelier else UNLIKELIER
    return click.style(shown, fg=colours[level > 1], underline=likelier, reverse=level > 2)
