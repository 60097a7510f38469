"""What the screen of a sweep says of it: its state, a line for each value, and the output shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..compare.curves import Curve, Spread, curves_csv, curves_document
from ..compare.reasoning import answer_of, has_answer
from ..compare.run import Output, State
from ..compare.shares import percent
from ..compare.sweep import sweep_document
from .amounts import figure
from .diffing import Diffing, View
from .safe_text import safe_line
from .sentences import for_app
from .sweeping import BEFORE, FIRST, Sweeping
from .widgets.output_pane import PaneState
from .widgets.sweep_table import SweepRow
from .writing import write_new

BEGINNING = 200
"""Characters of an output that a line may show."""


def status_of(sweeping: Sweeping | None, *, busy: bool, scored: int) -> tuple[str, str]:
    """How a sweep is going, and the style of these words."""
    if sweeping is None:
        return "", ""
    count, states = len(sweeping.axis.values), {it.state for it in sweeping.run.outputs}
    if busy and not sweeping.run.over:
        return f"running, {sweeping.over}", "$accent"
    if busy and sweeping.unscored:
        return f"scoring, {scored} of {count} values", "$accent"
    if State.FAILED in states:
        return "failed", "$error"
    return ("stopped", "$accent") if State.CANCELLED in states else ("done", "$success")


def row(
    sweeping: Sweeping, number: int, curves: Sequence[Curve], fill: Callable[[str], str]
) -> SweepRow:
    """The line of the value with this number; `fill` fills in the ids of keys in why there is no text."""
    outputs = sweeping.at(number)
    cells = [_cell(curve, curve.values[number]) for curve in curves]
    if len(outputs) > 1:
        cells.append(_distinct(outputs))
    said, style = _said(outputs[0], fill)
    return SweepRow(f"{sweeping.axis.values[number]:g}", tuple(cells), said, style)


def _cell(curve: Curve, spread: Spread | None) -> str:
    if spread is None:
        return "–"
    if curve.share:
        return percent(spread.mean)
    return figure(round(spread.mean, 3 if abs(spread.mean) < 10 else 1))


def _distinct(outputs: Sequence[Output]) -> str:
    """How many answers there are among those that are over."""
    over = [it for it in outputs if it.state.over and has_answer(it)]
    return f"{len({answer_of(it) for it in over})} of {len(over)}" if over else "–"


def _said(output: Output, fill: Callable[[str], str]) -> tuple[str, str]:
    if output.state is State.FAILED:
        return f"✗ {fill(for_app(output.error or ''))}", "$error"
    if output.state.over and not has_answer(output):
        return "(no answer)", "$dim"
    if output.text:
        return " ".join(output.text[:BEGINNING].split()), "$secondary"
    done = f" {percent(output.progress)}" if output.progress else ""
    words = {State.LOADING: f"loading{done}", State.PREFILL: f"reading the prompt{done}"}
    said = words.get(output.state, output.state.value)
    return ("(nothing)" if output.state is State.DONE else said), "$dim"


def pane_state(
    sweeping: Sweeping,
    number: int,
    text: int,
    against: str,
    *,
    view: View,
    diffing: Diffing,
    narrow: bool,
) -> PaneState:
    """The output to show at a value: the one with the number `text` among its distinct ones."""
    groups, runs = sweeping.groups(number), len(sweeping.at(number))
    group = groups[text]
    base_number = {FIRST: 0, BEFORE: number - 1}.get(against)
    if base_number is None:
        base, called = sweeping.base, against
    else:
        base = sweeping.at(base_number)[group.output.repeat] if base_number >= 0 else None
        called = _value(sweeping, base_number) if base_number >= 0 else ""
    aside = ""
    if runs > 1:
        often = f"{group.count} of {runs} runs" if sweeping.run.over else f"run {text + 1}"
        aside = f"text {text + 1} of {len(groups)} · {often}" if sweeping.run.over else often
    return PaneState(
        name=_value(sweeping, number), title="", output=group.output, shown=group.output,
        base=base, baseline=called, view=view, diffing=diffing, stale=False, selected=False,
        narrow=narrow, aside=aside, misfit="", fits_now=False,
    )  # fmt: skip


def _value(sweeping: Sweeping, number: int) -> str:
    return safe_line(f"{sweeping.axis.name} {sweeping.axis.values[number]:g}")


def write_sweep(sweeping: Sweeping, curves: Sequence[Curve], path: Path) -> str:
    """Write a finished sweep to a new file, JSON as `sweep --json` with its curves, or the curves as
    CSV, by its name; what came of it."""
    from importlib.metadata import version

    def document() -> object:
        found = sweep_document(sweeping.run, sweeping.axis, version("llamadiff"))
        found["sweep"]["curves"] = curves_document(curves)
        return found

    count = len(sweeping.axis.values)
    what = f"{count} value{'s' * (count != 1)}"
    return write_new(path, what, document, lambda: curves_csv(sweeping.axis, curves))
