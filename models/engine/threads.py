"""How many threads compute while other programs want the cores too."""

from __future__ import annotations

import time

WINDOW_S = 0.2
"""Computing time over which the cores' share is judged: longer than a screen takes to paint."""
SLACK = 0.3
"""Cores that may always be missing."""
RETRY_S = 2.0
LONGEST_RETRY_S = 32.0


class Governor:
    """Gives up the threads that other programs keep waiting, unless their number is `fixed`.

    llama.cpp's threads meet at a barrier after every operation. When one of them is not running,
    the others spin, and a token takes up to a hundred times as long (docs/engine.md). Threads
    that run burn a core each, so processor time against wall time tells how many do. A thread given
    up is tried again after a while, ever less often as long as it fails.
    """

    def __init__(self, most: int, *, fixed: bool = False) -> None:
        self.count = most
        self._most = most
        self._fixed = fixed or most == 1
        self._wall = self._cpu = 0.0
        self._retry_s = RETRY_S
        self._retry_at = 0.0
        self._trying = False

    def started(self) -> tuple[float, float]:
        """Call before a decode; give the result to `ended`."""
        return time.monotonic(), time.process_time()

    def ended(self, started: tuple[float, float]) -> None:
        """Call after a decode: sets `count` for the next one."""
        now = time.monotonic()
        self.judge(now, now - started[0], time.process_time() - started[1])

    def judge(self, now: float, wall_s: float, cpu_s: float) -> None:
        """A decode took this long, and this much processor time, at `count` threads."""
        if self._fixed:
            return
        self._wall += wall_s
        self._cpu += cpu_s
        if self._wall < WINDOW_S:
            return
        cores = self._cpu / self._wall
        self._wall = self._cpu = 0.0
        if self.count > 1 and self.count - cores > max(SLACK, 1 / self.count):
            self.count = max(1, int(cores + SLACK))
            self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S) if self._trying else RETRY_S
            self._retry_at, self._trying = now + self._retry_s, False
        elif self.count < self._most and now >= self._retry_at:
            self.count, self._trying = self._most, True
        elif self._trying and self.count == self._most:
            self._trying = False
