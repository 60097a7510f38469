"""The lines around a lens – totals, a legend, alternatives – and the file it is written to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from .heat import Measure
from .writing import write_new

if TYPE_CHECKING:
    from ..compare.lens import Alternative, Lens, LensToken

_STYLES = {
    "up": "underline $foreground on $heat-up-{}",
    "down": "reverse $heat-down-{} on $foreground",
    "much": "reverse $heat-much-{} on $foreground",
}
_LITTLE = "underline $foreground on $heat-much-1"


def totals(lens: Lens) -> list[Content]:
    """The text as a whole under both variants, the longest way to say it first."""
    a, b = lens.summaries
    count = f"{len(lens.tokens):,} token{'s' * (len(lens.tokens) != 1)}"
    names = lens.a.name, lens.b.name
    sums = f"{names[0]} {a.logprob:,.2f}, {names[1]} {b.logprob:,.2f}".replace("-", "−")
    perplexity = f"perplexity {a.perplexity:,.3g}, {b.perplexity:,.3g}"
    mean = f"{lens.mean_delta:+.3f} nats a token".replace("-", "−")
    likelihood = f"log-likelihood {sums}"
    ways = [
        [count, likelihood, perplexity, mean],
        [count, likelihood, perplexity],
        [likelihood, perplexity],
        [perplexity],
    ]
    return [Content(" · ".join(way)) for way in ways]


def legend(measure: Measure, b: str) -> list[Content]:
    """What the marks mean."""
    if measure.sign:
        up, down = _samples(measure, "up"), _samples(measure, "down")
        return [
            Content.assemble((f"likelier under {b} from ", "$dim"), *up, ("  unlikelier from ", "$dim"), *down),
            Content.assemble(("likelier ", "$dim"), *up, ("  unlikelier ", "$dim"), *down),
        ]  # fmt: skip
    return [Content.assemble((f"{measure.name} ", "$dim"), *_samples(measure, "much"))]


def _samples(measure: Measure, kind: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for level, step in enumerate(measure.steps, 1):
        style = _LITTLE if (kind, level) == ("much", 1) else _STYLES[kind].format(level)
        found += [(" ", ""), (step, style)]
    return found


def choices(tokens: Iterable[LensToken], side: int) -> list[Alternative]:
    """These tokens with what one variant gives them."""
    from ..compare.lens import Alternative

    return [Alternative(it.token, it.piece, (it.a if side == 0 else it.b).logprob) for it in tokens]


def nth(number: int) -> str:
    """`largest`, `2nd largest` …"""
    if number == 1:
        return "largest"
    last = number % 100
    suffix = "th" if 11 <= last <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(last % 10, "th")
    return f"{number:,}{suffix} largest"


def write_lens(lens: Lens, path: Path) -> str:
    """Write all of a lens to a new file, JSON as `lens --json` or CSV by its name; what came of it."""
    from ..compare.lens import lens_csv, lens_document

    what = f"{len(lens.tokens):,} tokens"
    return write_new(path, what, lambda: lens_document(lens), lambda: lens_csv(lens))
