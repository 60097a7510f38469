"""The line that says how far a command has come."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios

import pytest

from llamadiff.tui.cli.progress import WIDTH, ProgressLine


@pytest.mark.parametrize(("columns", "bar"), [(0, WIDTH), (80, WIDTH), (30, 8), (12, 0)])
def test_the_bar_is_as_long_as_the_terminal_lets_it_be(
    columns: int, bar: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that does not know its size says that it has no columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb") as screen:
        monkeypatch.setattr(sys, "stderr", terminal)
        ProgressLine().show("evaluating", 0.5, "10 s")
        terminal.flush()
        shown = screen.read1(1000).decode().removeprefix("\r").removesuffix("\x1b[K")
    assert sum(shown.count(it) for it in "█░") == bar
    assert len(shown) < (columns or 80) and (columns == 12 or shown.endswith(" 50% 10 s"))
