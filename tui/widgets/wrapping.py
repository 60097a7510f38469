"""Where a growing text breaks into lines of a given width."""

from __future__ import annotations

import re
from functools import cache

from rich.cells import cell_len, split_graphemes

TAB = 4
"""Cells a tab takes, wherever it stands."""

_WIDE = "ᄀ-ᅟ⺀-〿぀-鿿ꀀ-꓏가-힣豈-﫿︰-﹏！-｠￠-￦"

Line = tuple[int, int]
"""The offsets at which a line starts and ends; the newline that ends it is not part of it."""


@cache
def _chunks() -> re.Pattern[str]:
    """What is kept together: a newline, blanks, an ideograph, or a word."""
    return re.compile(rf"\n|[ \t]+|[{_WIDE}]|[^ \t\n{_WIDE}]+")


@cache
def _wide() -> re.Pattern[str]:
    return re.compile(f"[{_WIDE}]")


def is_wide(character: str) -> bool:
    """Whether a line may be broken before and after this character: an ideograph and its kin."""
    return not character.isascii() and _wide().match(character) is not None


def width_of(text: str) -> int:
    """Cells that `text`, one line of it, takes on the screen."""
    return cell_len(text) + (TAB - cell_len("\t")) * text.count("\t")


def break_lines(text: str, width: int, start: int = 0) -> list[Line]:
    """Lines of `text` from offset `start`, each at most `width` cells (at least 1) wide.

    Breaks before words and between ideographs; a word wider than a line is cut between
    graphemes. Blanks at a break hang over the edge. A greedy rule: breaking again from the
    start of the last line, after the text has grown, gives the same lines as from the start.
    """
    width = max(1, width)
    lines: list[Line] = []
    line_start, column = start, 0
    for chunk in _chunks().finditer(text, start):
        piece = chunk.group()
        if piece == "\n":
            lines.append((line_start, chunk.start()))
            line_start, column = chunk.end(), 0
            continue
        cells = width_of(piece)
        if piece[0] in " \t" or column + cells <= width:
            column += cells
            continue
        if column:
            lines.append((line_start, chunk.start()))
            line_start, column = chunk.start(), 0
        if cells <= width:
            column = cells
            continue
        for begin, _end, grapheme_cells in split_graphemes(piece)[0]:
            if column and column + grapheme_cells > width:
                lines.append((line_start, chunk.start() + begin))
                line_start, column = chunk.start() + begin, 0
            column += grapheme_cells
    lines.append((line_start, len(text)))
    return lines
