"""Tells a worker that hangs from one that works long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from .process import WorkerProcess

TICK_S = 1.0
STEP_LIMIT_S = 900.0
"""The longest that one chunk of a prompt may take: 256 tokens of a huge model on a slow machine."""


class Watchdog:
    """A worker is silent too long, at one step too long, or does not act on a cancel.

    `patience_s` is how long it may be silent, or ignore a cancel, in seconds.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._cancelled: dict[int, float] = {}
        self._idle_at = float("-inf")

    def cancelled(self, ids: Sequence[int]) -> None:
        """These requests were cancelled now."""
        now = asyncio.get_running_loop().time()
        self._cancelled.update(dict.fromkeys(ids, now))

    async def ticks(self, process: WorkerProcess) -> AsyncIterator[float]:
        """The loop's time, every second in which this process itself was awake."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            if now - before > 3 * TICK_S:
                process.heard_at = now  # we slept ourselves; its signs of life are still to be read
            before = now
            yield now

    def complaint(
        self, process: WorkerProcess, now: float, open_ids: Collection[int], *, busy: bool
    ) -> str | None:
        """Why the worker should be ended, in a sentence; None if it is well.

        `open_ids` are the requests without an end; `busy` says that something is waited for.
        """
        self._cancelled = {i: at for i, at in self._cancelled.items() if i in open_ids}
        if not busy:
            self._idle_at = now
        silent_s = now - max(process.heard_at, self._idle_at)
        if busy and silent_s > self._patience_s:
            return f"The engine gave no sign of life for {silent_s:.0f} s and was ended."
        ignored_s = now - min(self._cancelled.values(), default=now)
        if min(ignored_s, process.step_s) > self._patience_s:
            return f"The engine did not stop within {ignored_s:.0f} s and was ended."
        if process.step_s > STEP_LIMIT_S:
            return f"The engine hung for {process.step_s:.0f} s and was ended."
        return None
