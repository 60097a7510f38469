"""The curves of a sweep: for each value a number, or the spread of several."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from .sweep import Axis


@dataclass(frozen=True)
class Spread:
    """What repeats came to: their mean, the least and the largest."""

    mean: float
    low: float
    high: float


def spread(numbers: Sequence[float]) -> Spread | None:
    """The spread of these, None without any."""
    if not numbers:
        return None
    return Spread(sum(numbers) / len(numbers), min(numbers), max(numbers))


@dataclass(frozen=True)
class Curve:
    """A measure of a sweep. `key` is its name in files, `name` its name in words, `short` the
    same in few, `unit` what is counted; `values` has one entry for each swept value, None where
    there is no number yet.

    With `share` the numbers are shares, from 0 to 1.
    """

    key: str
    name: str
    short: str
    unit: str
    values: tuple[Spread | None, ...]
    share: bool = False


def curves_csv(axis: Axis, curves: Sequence[Curve]) -> str:
    """A line for each value under a line of headings, RFC 4180: the means, least and largest."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(
        [axis.name, *(f"{it.key}{part}" for it in curves for part in ("", "_low", "_high"))]
    )
    for number, value in enumerate(axis.values):
        found = [it.values[number] for it in curves]
        parts = [(it.mean, it.low, it.high) if it else ("", "", "") for it in found]
        writer.writerow([f"{value:g}", *(part for it in parts for part in it)])
    return lines.getvalue()


def curves_document(curves: Sequence[Curve]) -> list[dict[str, object]]:
    """The curves as JSON: a list of means, least and largest for each, null where there is none."""
    return [
        {
            "name": it.key,
            "values": [
                {"mean": v.mean, "low": v.low, "high": v.high} if v else None for v in it.values
            ],
        }
        for it in curves
    ]
