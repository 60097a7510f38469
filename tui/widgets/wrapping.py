"""Where a growing text breaks into lines of a given width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from rich.cells import cell_len, split_graphemes

TAB = 4
"""Cells a tab takes, wherever it stands."""

_WIDE = "ᄀ-ᅟ⺀-〿぀-鿿ꀀ-꓏가-힣豈-﫿︰-﹏！-｠￠-￦"

Line = tuple[int, int]
"""The offsets at which a line starts and ends; the newline that ends it is not part of it."""


@cache
def _chunks() -> re.Pattern[str]:
    """What is kept together: blanks, an ideograph, or a word."""
    return re.compile(rf"[ \t]+|[{_WIDE}]|[^ \t{_WIDE}]+")


@cache
def _narrow() -> re.Pattern[str]:
    """Text of which every character is known to be a cell wide and to stand by itself."""
    return re.compile(
        "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0391-\u0482\u048a-\u0527\u2010-\u2027]*"
    )


@cache
def _not_blank() -> re.Pattern[str]:
    return re.compile(r"[^ \t]")


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
    while (end := text.find("\n", start)) >= 0:
        lines += _paragraph(text, width, start, end)
        start = end + 1
    return lines + _paragraph(text, width, start, len(text))


def _paragraph(text: str, width: int, start: int, end: int) -> list[Line]:
    """The lines of a text without a newline; one at least."""
    lines: list[Line] = []
    while True:
        if _is_narrow(text, start, min(start + width + 1, end)):
            lines.append(_narrow_line(text, width, start, end))
        else:
            for line, at_a_word in _any_lines(text, width, start, end):
                lines.append(line)
                if at_a_word and _is_narrow(text, line[1], min(line[1] + width + 1, end)):
                    break
        start = lines[-1][1]
        if start == end:
            return lines


def _is_narrow(text: str, start: int, end: int) -> bool:
    match = _narrow().match(text, start, end)
    return match is not None and match.end() == end


def _narrow_line(text: str, width: int, start: int, end: int) -> Line:
    """The first line, as `_any_lines` finds it, where every character of it is a cell wide."""
    if end - start <= width:
        return start, end
    if text[start + width] == " ":
        word = _not_blank().search(text, start + width, end)
        return start, word.start() if word else end
    cut = text.rfind(" ", start, start + width) + 1
    return start, cut or start + width


def _any_lines(text: str, width: int, start: int, end: int) -> Iterator[tuple[Line, bool]]:
    """The lines of a text without a newline, and whether each ends before a word or inside one."""
    line_start, column = start, 0
    for chunk in _chunks().finditer(text, start, end):
        piece = chunk.group()
        cells = width_of(piece)
        if piece[0] in " \t" or column + cells <= width:
            column += cells
            continue
        if column:
            yield (line_start, chunk.start()), True
            line_start, column = chunk.start(), 0
        if cells <= width:
            column = cells
            continue
        for begin, _end, grapheme_cells in split_graphemes(piece)[0]:
            if column and column + grapheme_cells > width:
                yield (line_start, chunk.start() + begin), False
                line_start, column = chunk.start() + begin, 0
            column += grapheme_cells
    yield (line_start, end), True
