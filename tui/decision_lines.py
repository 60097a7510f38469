"""The decision table in columns as wide as there is room, for a terminal's lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, chop_cells

from .safe_text import safe_line

GAP = 2
WIDEST_TITLE = 13
JOINED = "\N{NO-BREAK SPACE}"
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|(?:ms|s|min|kB|MB|GB)\b)")
_PIECES = re.compile(r"[^/_+@=,.-]+[/_+@=,.-]*|[/_+@=,.-]+")
LEAST = 16
"""Cells of a column below which all three stand under each other."""


def decision_lines(decision: Mapping[str, Any], width: int) -> Iterator[tuple[str, str]]:
    """(title, rest) of each line, the heading first; the title is as wide on all of them.

    `decision` is what `decision_document` gives.
    """
    _, *sides = decision["head"]
    column = _column(sides, width)
    if is_stacked(decision, width):
        yield from _stacked(decision, sides, width)
        return
    yield from _beside("", [[side] for side in sides], column)
    for row in decision["table"]:
        yield from _beside(row["row"], row["cells"], column)


def is_stacked(decision: Mapping[str, Any], width: int) -> bool:
    """Whether what belongs to the three stands under each other, for want of room."""
    _, *sides = decision["head"]
    return _column(sides, width) < LEAST


def _column(sides: Sequence[str], width: int) -> int:
    return (width - WIDEST_TITLE - GAP * len(sides)) // len(sides)


def _beside(title: str, cells: Sequence[Sequence[str]], column: int) -> Iterator[tuple[str, str]]:
    titles = wrapped(title, WIDEST_TITLE) if title else []
    columns = [
        [part for line in lines for part in wrapped(line, column, hang=1)] for lines in cells
    ]
    for name, *parts in itertools.zip_longest(titles, *columns, fillvalue=""):
        rest = "".join(" " * GAP + _padded(part, column) for part in parts)
        yield _padded(name, WIDEST_TITLE), rest.rstrip()


def _stacked(
    decision: Mapping[str, Any], sides: Sequence[str], width: int
) -> Iterator[tuple[str, str]]:
    for row in decision["table"]:
        for part in wrapped(row["row"], width):
            yield part, ""
        for side, lines in zip(sides, row["cells"], strict=True):
            for part in wrapped(f"{side}: {'; '.join(lines)}", width - 2, hang=2):
                yield "", f"  {part}"


def wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """A text in lines of at most `width` cells, broken between words, all but the first indented. A
    number stays with its unit."""
    width = max(4, width)
    lines: list[str] = []
    line = ""

    def indent() -> str:
        return " " * hang if lines else ""

    words = _BEFORE_UNIT.sub(JOINED, " ".join(safe_line(text).split())).split(" ")
    for word in (it.replace(JOINED, " ") for it in words if it):
        longer = f"{line} {word}" if line else indent() + word
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, rest = _broken(word, width - hang)
        for part in whole:
            lines.append(indent() + part)
        line = indent() + rest
    return [*lines, line]


def _broken(word: str, width: int) -> list[str]:
    """A word that is wider than a line in parts, broken where a name can be, and else anywhere."""
    parts = [""]
    for piece in _PIECES.findall(word):
        if cell_len(parts[-1] + piece) <= width:
            parts[-1] += piece
        else:
            parts[-1:] = [*filter(None, parts[-1:]), *chop_cells(piece, width)]
    return parts


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cell_len(text))
