"""Columns in a real terminal: after any text the cursor stands where Textual thinks it does."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.color import ColorSystem
from textual._compositor import LayoutUpdate
from textual.geometry import Region

from llamadiff.tui.canvas import Canvas
from llamadiff.tui.columns import anchored
from llamadiff.tui.safe_text import safe_text

from .app import StillApp, playground
from .test_layout import settle
from .tmux import HAS_TMUX

SAMPLES = {
    "wide": "漢字 한국 ｱﾞ",
    "combining": "e\u0301a\u0308 cafe\u0301",
    "joined": "👩\u200d🚀 👨\u200d👩\u200d👧\u200d👦",
    "skin": "👋🏽 👩🏽\u200d🚀",
    "flags": "🇩🇪🇫🇷 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 🇩",
    "variation": "❤\ufe0f ☎\ufe0f ☎\ufe0e 1\ufe0f\u20e3",
    "right to left": "שלום עולם مرحبا",
    "marked": "नमस्ते ไทยที่ किताब",
    "stray": "\u200dx a\u200db 👩\u200dab م\u200dن",
}


class Terminal:
    """A tmux window that shows a file; it knows where its cursor is."""

    def __init__(self, folder: Path) -> None:
        self._socket = f"llamadiff-{uuid.uuid4().hex[:8]}"
        self._file = folder / "shown"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "10", "cat")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-L", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    def column_after(self, text: str) -> int:
        """The column of the cursor once `text` is written at the left edge."""
        self._file.write_text(f"\x1b[2J\x1b[H{text}\x1b]2;written\x07", encoding="utf-8")
        self._tmux("select-pane", "-T", "waiting")
        self._tmux("respawn-pane", "-k", f"sh -c 'stty -echo; cat {self._file}; sleep 1000'")
        end = time.monotonic() + 20
        while True:
            title, _, column = self._tmux(
                "display-message", "-p", "#{pane_title} #{cursor_x}"
            ).partition(" ")
            if title == "written":
                return int(column)
            assert time.monotonic() < end, title
            time.sleep(0.02)

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    it = Terminal(tmp_path)
    yield it
    it.close()


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
@pytest.mark.parametrize("name", SAMPLES)
def test_the_cursor_stands_where_it_should(terminal: Terminal, name: str) -> None:
    text = safe_text(SAMPLES[name])
    assert terminal.column_after(anchored(text)) == cell_len(text)
    assert terminal.column_after(f"ab {anchored(text)} cd") == cell_len(text) + 6


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
@pytest.mark.parametrize("width", [160, 120, 100])
async def test_panes_beside_each_other_keep_their_columns(
    terminal: Terminal, tmp_path: Path, width: int
) -> None:
    """Each line of the app as it is written, up to where the second pane starts."""
    text = "\n".join(f"{name}: {sample}" for name, sample in SAMPLES.items())
    app = StillApp(tmp_path, (text, text, text))
    async with app.run_test(size=(width, 40)) as pilot:
        await settle(pilot)
        screen = playground(pilot)
        second = screen.board.pane("B")
        assert second is not None and second.display
        rows = range(second.region.y + 3, second.region.y + 3 + len(SAMPLES))
        strips = screen._compositor.render_strips()
        for row in rows:
            before = strips[row].crop(0, second.region.x)
            update = LayoutUpdate([[before]], Region(0, 0, before.cell_length, 1))
            written = Canvas().write(update, ColorSystem.TRUECOLOR)
            assert terminal.column_after(written) == second.region.x


def test_plain_text_is_left_alone() -> None:
    for text in ("plain", "naïve – “quoted” · 漢字", "שלום"):
        assert anchored(text) == text
