"""How far long work has come: one line of stderr, drawn anew on a terminal."""

from __future__ import annotations

import os
import sys
import time

from ..safe_text import safe_line
from .printing import note, say

WIDTH = 24
INTERVAL_S = 0.1
UNKNOWN = 80
"""Columns, where a terminal says that it has none."""


class ProgressLine:
    """Use as a context; the line is gone after it. The bar gets shorter where the terminal is narrow;
    elsewhere than on a terminal there is a line a stage."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stage = ""
        self._next = 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def say(self, text: str) -> None:
        """A line about it, above the line."""
        self._clear()
        note(text)
        self._next = 0.0

    def _clear(self) -> None:
        if self._live and self._stage:
            say("\r\x1b[K")

    def show(self, stage: str, fraction: float, detail: str = "") -> None:
        """`stage` has come as far as `fraction`, from 0 to 1; `detail` says it in units."""
        if self._live:
            now = time.monotonic()
            if stage != self._stage or now >= self._next or fraction >= 1:
                self._next = now + INTERVAL_S
                try:
                    size = os.get_terminal_size(sys.stderr.fileno())
                except OSError:  # it is gone
                    return
                columns = (size.columns or UNKNOWN) - 1
                said = safe_line(f"{fraction:4.0%} {detail}")
                width = max(0, min(WIDTH, columns - len(stage) - len(said) - 2))
                done = round(width * min(max(fraction, 0.0), 1.0))
                bar = "█" * done + "░" * (width - done)
                line = f"{safe_line(stage)} {bar} {said}"[:columns]
                say(f"\r{line}\x1b[K")
        elif stage != self._stage:
            note(f"{stage} …")
        self._stage = stage
