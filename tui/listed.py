"""A recorded run in a line, and its outputs as tabs: what tells one from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..compare.run import State

if TYPE_CHECKING:
    from ..compare.history.entries import RunEntry
    from ..compare.run import Output

IN_VIEW = 40
"""Characters of what was asked in which a value has to stand to be seen."""
TAB_WIDTH, MANY_TABS, SHORT_TAB = 24, 4, 14


def marks_of(run: RunEntry) -> list[str]:
    """What a run is besides a run that is done: values of a sweep, `40 each` of every variant,
    `stopped` by a person, `failed`, `goes on`."""
    states = {output.state for output in run.outputs}
    each = 1 + max((output.repeat for output in run.outputs), default=0)
    axis, values = _sweep([variant.label for variant in run.variants])
    marks = [f"{axis} {values[0]}…{values[-1]}"] if values else []
    marks += [f"{each} each"] if each > 1 else []
    marks += ["failed"] if State.FAILED in states else []
    marks += ["stopped"] if State.CANCELLED in states else []
    return [*marks, "goes on"] if run.ended is None else marks


def asked_of(run: RunEntry) -> str:
    """What was asked: the reply, after `↳`, or the values and the text they stand in."""
    if run.reply:
        return f"↳ {_line(run.reply)}"
    asked = _line(run.asked)
    values = [_line(value) for value in run.variables.values()]
    unseen = [value for value in values if value and value not in asked[:IN_VIEW]]
    return " · ".join([*unseen, *[asked] * bool(asked)])


def said_of(run: RunEntry) -> str:
    """What the first that spoke said, or why nobody did."""
    said = next((output.preview for output in run.outputs if output.preview.strip()), "")
    return _line(said or next((output.error for output in run.outputs if output.error), ""))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def tabs_of(outputs: Sequence[Output]) -> list[tuple[str, str]]:
    """The name and the title of each output: a sweep's variants have their values, those of one
    title their adapters, and repeats their numbers."""
    from .widgets.lines import shortened

    variants = {it.variant.name: it.variant for it in outputs}
    titles = [variant.short_title for variant in variants.values()]
    same = len(titles) > 1 and len(set(titles)) == 1
    told = [it.stack for it in variants.values()] if same else _sweep(titles)[1] or titles
    title = dict(zip(variants, told, strict=True))
    repeated = any(output.repeat for output in outputs)
    width = TAB_WIDTH if len(outputs) <= MANY_TABS else SHORT_TAB
    tabs: list[tuple[str, str]] = []
    for output in outputs:
        name = f"{output.variant.name}.{output.repeat + 1}" if repeated else output.name
        rest = "" if output.repeat else f" {title[output.variant.name]}"
        tabs.append((output.name, shortened(name + rest, max(width, len(name)))))
    return tabs


def _sweep(titles: Sequence[str]) -> tuple[str, Sequence[str]]:
    """What the labels of a sweep have in common, and its values; empty for other titles."""
    axes = {title.rpartition(" ")[0] for title in titles}
    values = [title.rpartition(" ")[2] for title in titles]
    one = len(titles) > 1 and len(axes) == 1 and all(map(_is_number, values))
    return (axes.pop(), values) if one else ("", ())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
