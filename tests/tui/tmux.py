"""The app in a real tmux: keys go in, the screen comes out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
HAS_TMUX = shutil.which("tmux") is not None


class Tmux:
    """One tmux server of its own, with the program in a window of `columns` × `rows`."""

    def __init__(
        self, columns: int, rows: int, home: Path, *arguments: str, program: str = LLAMADIFF
    ) -> None:
        self._socket = f"llamadiff-{uuid.uuid4().hex[:8]}"
        environment = {**os.environ, "LLAMADIFF_HOME": str(home), "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        self._tmux(
            "-f", os.devnull, "new-session", "-d", "-x", str(columns), "-y", str(rows),
            program, *arguments, env=environment,
        )  # fmt: skip

    def _tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, env=env
        )
        return done.stdout

    @property
    def pid(self) -> int:
        """The program's process id."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def alive(self) -> bool:
        return bool(self._tmux("list-sessions"))

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def buffer(self) -> str:
        """What was copied last."""
        return self._tmux("show-buffer")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names, as F5, C-q, Escape."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for(self, wanted: str | Callable[[str], object], timeout_s: float = 60) -> str:
        """The first screen that holds a text, or for which a condition holds."""
        end = time.monotonic() + timeout_s
        while True:
            screen = self.screen()
            if wanted in screen if isinstance(wanted, str) else wanted(screen):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"{wanted!r} did not appear:\n{screen}")
            time.sleep(0.05)

    def close(self) -> None:
        self._tmux("kill-server")
