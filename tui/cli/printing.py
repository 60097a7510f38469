"""How commands print: data to stdout, the rest to stderr, colour only on a terminal."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..amounts import count as count
from ..amounts import size as size
from ..safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from ...compare.run import Output


def data(text: str, *, raw: bool = False) -> None:
    """Some of what was asked for. Control characters are made visible unless it is `raw`."""
    click.echo(text if raw else safe_text(text))


def note(text: str) -> None:
    """A line about it."""
    say(safe_line(text) + "\n")


def say(text: str) -> None:
    """Text to stderr. A terminal that is gone is told nothing more, and that ends nothing."""
    try:
        click.echo(text, nl=False, err=True)
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def print_json(document: Any, *, indent: bool = False) -> None:
    """A JSON document on stdout; one line unless indented.

    It is plain ASCII on a terminal, and where a path has bytes that are no text.
    """
    spaces = 2 if indent else None
    text = json.dumps(document, ensure_ascii=sys.stdout.isatty(), indent=spaces)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=spaces)
    click.echo(text)
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


def statement(text: str) -> None:
    """A sentence that was asked for, broken between words on a terminal."""
    line = safe_line(text)
    data(textwrap.fill(line, shutil.get_terminal_size().columns) if sys.stdout.isatty() else line)


def table(rows: Sequence[Sequence[str]], *, cut: bool = False) -> None:
    """Rows in aligned columns, the first one the heading.

    In a row that is shorter the last cell takes the rest of the line; on a terminal it is cut there,
    as all are with `cut`.
    """
    safe = [[safe_line(cell) for cell in row] for row in rows]
    columns = len(safe[0])
    widths = [0] * columns
    for row in safe:
        for i, cell in enumerate(row if len(row) == columns else row[:-1]):
            widths[i] = max(widths[i], len(cell))
    for row in safe:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        line = "  ".join(cells).rstrip()
        data(_cut(line) if cut or len(row) < columns else line)


def _cut(line: str) -> str:
    """The line as far as it fits a terminal; whole where stdout is none."""
    if not sys.stdout.isatty():
        return line
    width = max(20, shutil.get_terminal_size().columns)
    return line if len(line) <= width else f"{line[: width - 1]}…"
