"""The noise floor in words: for a pane, for a table, and as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compare.enough import LEAST
from ..compare.shares import percent

if TYPE_CHECKING:
    from ..compare.control import Control, LensSpread
    from ..compare.noise import Contrast, Floor

HEAD = ("", "PAIRS", "SAME", "PARTS AT", "")
Row = tuple[str, ...]


def same(it: Floor | Contrast) -> str:
    """The share of words that two outputs have in common, on average."""
    return percent(1 - it.differ.mean)


def verdict(it: Contrast | LensSpread) -> str:
    """`within noise`, `beyond noise`, or nothing where there are too few outputs to tell."""
    return "" if it.within is None else "within noise" if it.within else "beyond noise"


def _lens_verdict(it: LensSpread) -> str:
    """The same; what is no rounding, but of too few texts, is called that."""
    return verdict(it) if it.within is not None else "" if it.nil else "beyond rounding"


def left_out_words(names: Sequence[str]) -> str:
    """That these are pinned and have too few outputs."""
    one = len(names) == 1
    have, them = ("has", "it") if one else ("have", "them")
    are = "is" if one else "are"
    return (
        f"{', '.join(names)} {have} too few outputs and {are} pinned; {{talk.pin}} lets {them} run."
    )


def unanswered_words(names: Sequence[str]) -> str:
    """That too few outputs of these have an answer, and what helps."""
    have = "has" if len(names) == 1 else "have"
    return (
        f"{', '.join(names)} {have} too few answers: outputs were cut off in their reasoning. "
        "Give them more max_tokens ({variant.sampling})."
    )


def other_question_words(name: str, baseline: str, variable: str) -> str:
    """That two variants were asked other things, so that there is nothing to judge."""
    return f"{name}: no verdict; it was asked with another {variable} than {baseline}."


def rows(control: Control) -> list[Row]:
    """A row for each variant against itself and against the baseline, under `HEAD`."""
    found: list[Row] = []
    for name, it in control.floors.items():
        found.append((*_row(f"{name} against {name}", it), ""))
        if (again := control.same_seed.get(name)) is not None:
            found.append((*_row(f"{name}, same seed", again), ""))
    for name, it in control.contrasts.items():
        found.append((*_row(f"{name} against {control.baseline}", it), verdict(it)))
    return found


def _row(title: str, it: Floor | Contrast) -> Row:
    place = "–" if it.parts is None else f"{it.parts.median + 1:,.0f}"
    return title, f"{len(it.differ.values):,}", same(it), place


def verdicts(control: Control) -> list[str]:
    """What it comes to, in plain words: a sentence for each variant but the baseline."""
    return [_plain(it, control.baseline, name) for name, it in control.contrasts.items()]


def _plain(it: Contrast, a: str, b: str) -> str:
    if it.within is None:
        return f"{b}: no verdict; it takes {LEAST} finished outputs of {a} and of {b}."
    if not it.within:
        if it.swaps is None:
            return f"{b} really differs: more than other sizes of batches change {a} or {b}."
        if it.differ.mean > max(it.own):
            return f"{b} really differs: more than reruns of {a} or of {b} differ from each other."
        more = "more" if it.own[1] < it.own[0] else "less"
        return f"{b} really differs: reruns of {b} are {more} alike than reruns of {a} are."
    if not it.differ.most:
        return f"{b} may be no different: no word differs from {a}."
    if it.swaps is None:
        return f"{b} may be no different: the size of a batch alone changes as many words."
    if it.swaps.energy <= 1e-9:
        return f"{b} may be no different: reruns of {a} or of {b} differ from each other as much."
    likely = f"chance alone does as much {_times(it.swaps.share)}"
    return f"{b} may be no different: {likely}; more seeds would tell more."


def _times(share: float) -> str:
    return "nearly always" if share > 0.95 else f"{percent(share)} of the time"


def details(control: Control) -> list[str]:
    """What was computed, for those who ask: a sentence for each variant that was tested, and how
    many outputs a limit of length or context ended."""
    said: list[str] = []
    for name, it in control.contrasts.items():
        if it.swaps is not None and it.within is not None:
            far = f"{it.swaps.as_far:,} of {it.swaps.tried:,} come up to it"
            swaps = f"of the ways to swap outputs of {control.baseline} and {name}, {far}"
            said.append(f"{name}: energy distance {it.swaps.energy:.3f}; {swaps}.")
    cut = {name: it for name, it in control.floors.items() if it.cut}
    if cut:
        counts = ", ".join(f"{it.cut:,} of {it.outputs:,} of {name}" for name, it in cut.items())
        said.append(f"Cut off at a limit, and compared as far as they go: {counts}.")
    return said


def lens_words(it: LensSpread, a: str, b: str) -> str:
    """The lens over several texts, in a line."""
    count = len(it.deltas.values)
    least, most = (f"{value:+.2f}".replace("-", "−") for value in (it.deltas.least, it.deltas.most))
    means = least if count == 1 else f"{least} to {most}"
    moved = f"moves a token by {it.rounding:.2g} at most" if it.rounding else "moves nothing"
    worth = f", {said}" if (said := _lens_verdict(it)) else ""
    return (
        f"Lens, {b} − {a} over {count} text{'s' * (count != 1)} of {a}: {means} nats a token"
        f"{worth}; rounding {moved}."
    )


def lens_verdict(it: LensSpread, a: str, b: str) -> str:
    """The same, in plain words."""
    if it.within or it.nil:
        return f"By the lens, {b} finds {a}'s texts neither likelier nor less likely, by and large."
    how = "likelier" if it.deltas.least > 0 else "less likely"
    count = len(it.deltas.values)
    every = "text" if count == 1 else f"texts, all {count} that were looked at,"
    return f"By the lens, {b} finds {a}'s {every} {how} than {a} does."
