"""Sizes and numbers as people say them."""

from __future__ import annotations


def size(count: int | None) -> str:
    """Bytes in words."""
    if count is None:
        return "–"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def count(number: int | None) -> str:
    """A number of parameters in words: 4.5M, 1.1B."""
    if number is None:
        return "–"
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)


def percent(fraction: float) -> str:
    """`40 %`."""
    return f"{fraction:.0%}".replace("%", " %")
