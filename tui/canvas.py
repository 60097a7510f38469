"""What the terminal shows, cell by cell, so that only what differs is written to it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

from .columns import anchored, is_unsure

GAP = 8
"""Of fewer cells between two that differ all are written: to go past them would take as much."""

Piece = tuple[str, str]
"""A text and its style, as the numbers of a control sequence (SGR)."""
Cell = str | tuple[tuple[Piece, ...], int]
"""A character and behind it its style, as one string, which no garbage collection looks at; or one of
the cells of a line's part that is only written whole."""


class Canvas:
    """Remembers what was written. Textual writes all lines of a widget that changed, whole."""

    def __init__(self, *, plain: bool = False) -> None:
        """`plain` is for a terminal that has few characters."""
        self._rows: list[list[Cell | None]] = []
        self._size = Size()
        self._plain = plain

    def forget(self) -> None:
        """Take nothing for known: the terminal was resized, or another program had it."""
        self._rows = []

    def changes(self, update: LayoutUpdate | ChopsUpdate) -> CompositorUpdate:
        """An update that writes what of `update` is not there at the time when it is written."""
        return _Changes(self, update)

    def write(self, update: LayoutUpdate | ChopsUpdate, colors: ColorSystem) -> str:
        """The text and control sequences that have the terminal show `update`."""
        if isinstance(update, LayoutUpdate) and update.region.size != self._size:
            self._size = update.region.size
            self.forget()  # since then, what was drawn for another size stands elsewhere
        pen = _Pen()
        for x, y, strip in _strips(update):
            self._draw(pen, x, y, strip.cell_length, self._pieces(strip, colors))
        return pen.written()

    def _pieces(self, strip: Strip, colors: ColorSystem) -> list[Piece]:
        pieces = [
            (text, Strip.render_ansi(look, colors) if look else "") for text, look, _ in strip
        ]
        if self._plain:
            from .glyphs import PLAIN

            return [(text.translate(PLAIN), style) for text, style in pieces]
        return pieces

    def _draw(self, pen: _Pen, x: int, y: int, width: int, pieces: list[Piece]) -> None:
        rows, end = self._rows, x + width
        rows += [[] for _ in range(y + 1 - len(rows))]
        row = rows[y]
        row += [None] * (end - len(row))
        cells: list[Cell]
        simple = all(_is_simple(text) for text, _ in pieces)
        if simple:
            cells = [character + style for text, style in pieces for character in text]
        else:
            pieces = [(anchored(text), style) for text, style in pieces]
            whole = tuple(pieces)
            cells = [(whole, number) for number in range(width)]
        old = row[x:end]
        if old == cells:
            return
        row[x:end] = cells
        if not simple or old[0] is None or any(isinstance(it, tuple) for it in old):
            pen.draw(x, y, width, pieces)
        else:
            for first, last in _runs(old, cells):
                pen.draw(x + first, y, last - first, _joined(cells[first:last]))


class _Changes(CompositorUpdate):
    def __init__(self, canvas: Canvas, update: LayoutUpdate | ChopsUpdate) -> None:
        self._canvas, self._update = canvas, update

    def render_segments(self, console: Console) -> str:
        return self._canvas.write(self._update, console._color_system or ColorSystem.TRUECOLOR)


class _Pen:
    """Writes cells where they stand, and a style only where it is another."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._at = (-1, -1)
        self._style = ""

    def draw(self, x: int, y: int, width: int, pieces: Iterable[Piece]) -> None:
        if self._at != (x, y):
            self._written.append(f"\x1b[{y + 1};{x + 1}H")
        for text, style in pieces:
            if style != self._style:
                self._written.append(f"\x1b[0;{style}m" if style else "\x1b[m")
                self._style = style
            self._written.append(text)
        self._at = (x + width, y)

    def written(self) -> str:
        return "".join(self._written) + ("\x1b[m" if self._style else "")


def _strips(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Each part of a line in an update, and its column and row."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= last and end > first:
                yield x, y, strip


@functools.lru_cache(1024)
def _is_simple(text: str) -> bool:
    """Whether each of its characters has a cell of its own in any terminal."""
    return text.isascii() or (all(cell_len(it) == 1 for it in text) and not is_unsure(text))


def _joined(cells: Sequence[Cell]) -> Iterator[Piece]:
    """Characters of their own as texts of one style each."""
    for style, alike in groupby(map(str, cells), key=lambda cell: cell[1:]):
        yield "".join(cell[0] for cell in alike), style


def _runs(old: Sequence[Cell | None], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """From where to where cells differ."""
    runs: list[tuple[int, int]] = []
    for at, (before, now) in enumerate(zip(old, new, strict=True)):
        if before == now:
            continue
        if runs and at - runs[-1][1] < GAP:
            runs[-1] = runs[-1][0], at + 1
        else:
            runs.append((at, at + 1))
    return runs
