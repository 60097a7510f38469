"""How commands print: data to stdout, the rest to stderr, colour only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..safe_text import safe_line

if TYPE_CHECKING:
    from ...compare.run import Output


def data(text: str) -> None:
    """A line of what was asked for."""
    click.echo(text)


def note(text: str) -> None:
    """A line about it."""
    click.echo(text, err=True)


def print_json(document: Any, *, indent: bool = False) -> None:
    """A JSON document on stdout; one line unless indented. On a terminal it is plain ASCII."""
    ascii_only = sys.stdout.isatty()
    click.echo(json.dumps(document, ensure_ascii=ascii_only, indent=2 if indent else None))
    sys.stdout.flush()


def coloured() -> bool:
    """Whether stdout takes colour: a terminal, and nobody objects."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def outcome(output: Output) -> str:
    """How an output came to its end, in one line."""
    parts = [output.variant.name, f"{len(output.tokens)} tokens"]
    timings = output.timings
    if timings and timings.tokens_per_s:
        parts.append(f"{timings.tokens_per_s:,.0f}/s")
    if timings and timings.ttft_s is not None:
        parts.append(f"first {timings.ttft_s * 1000:,.0f} ms")
    parts += [str(output.finish_reason), f"seed {output.seed}", output.variant.stack]
    if output.slowed:
        parts.append(output.slowed)
    return safe_line(" · ".join(parts))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Rows in aligned columns, the first one the heading."""
    safe = [[safe_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in safe) for i in range(len(safe[0]))]
    for row in safe:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        data("  ".join(cells).rstrip())


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
