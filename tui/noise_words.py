"""The noise floor in words: for a pane, for a table, and as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.control import Control, LensSpread
    from ..compare.noise import Contrast, Floor, Spread

HEAD = ("", "PAIRS", "DIFFER", "NOISE", "PART AT", "")
Row = tuple[str, ...]


def percent(share: float) -> str:
    """A share without decimals; what is not all, or not nothing, is not rounded to it."""
    rounded = min(99, max(1, round(share * 100))) if 0 < share < 1 else round(share * 100)
    return f"{rounded} %"


def span(it: Spread) -> str:
    """The floor: `10–31 %`."""
    low, high = (percent(value) for value in it.middle)
    return high if low == high else f"{low.removesuffix(' %')}–{high}"


def verdict(it: Contrast | LensSpread) -> str:
    """`within noise`, or `beyond noise`."""
    return "within noise" if it.within else "beyond noise"


def pane_ways(it: Contrast) -> list[str]:
    """How two variants differ beside the noise, the longest way to say it first."""
    differ, noise = percent(it.differ.mean), span(it.noise)
    return [
        f"{verdict(it)}: {differ} differ, either against itself {noise}",
        f"{differ}, {verdict(it)} {noise}",
        verdict(it),
    ]


def rows(control: Control) -> list[Row]:
    """A row for each variant against itself and against the baseline, under `HEAD`."""
    found = [
        (*_row(f"{name} against {name}", it), span(it.dealt), _place(it), "")
        for name, it in control.floors.items()
    ]
    for name, it in control.contrasts.items():
        title = f"{name} against {control.baseline}"
        found.append((*_row(title, it), span(it.noise), _place(it), verdict(it)))
    return found


def _row(title: str, it: Floor | Contrast) -> Row:
    return title, f"{len(it.differ.values):,}", percent(it.differ.mean)


def _place(it: Floor | Contrast) -> str:
    return "–" if it.parts is None else f"{it.parts.median + 1:,.0f}"


def sentences(control: Control) -> list[str]:
    """What the rows mean, a sentence for each variant but the baseline."""
    said: list[str] = []
    for name, it in control.contrasts.items():
        both = f"{control.baseline} and {name} differ in {percent(it.differ.mean)} of their words"
        own = f"two hands of the same variant in {span(it.noise)}"
        said.append(f"{name} is {verdict(it)}: {both} on average, {own}.")
    return said


def lens_words(it: LensSpread, a: str, b: str) -> str:
    """The lens over several texts, in a line."""
    count = len(it.deltas.values)
    least, most = (f"{value:+.2f}".replace("-", "−") for value in (it.deltas.least, it.deltas.most))
    means = least if count == 1 else f"{least} to {most}"
    moved = f"moves a token by {it.rounding:.2g} at most" if it.rounding else "moves nothing"
    return (
        f"Lens, {b} − {a} over {count} text{'s' * (count != 1)} of {a}: {means} nats a token, "
        f"{verdict(it)}; rounding {moved}."
    )
