"""For how long the event loop's own thread computes without a pause: a key waits for that long."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator


class Loop:
    """Stretches are of processor time: what other programs take of the machine is not in them."""

    def __init__(self) -> None:
        self._longest = 0.0

    async def watch(self) -> None:
        while True:
            start = time.thread_time()
            await asyncio.sleep(0.001)
            self._longest = max(self._longest, time.thread_time() - start)

    def take(self) -> float:
        """The longest stretch since the last time, in milliseconds."""
        longest, self._longest = self._longest, 0.0
        return 1000 * longest


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Loop]:
    """Watches from now on. What is there by now is left out of garbage collections, as in a
    terminal."""
    gc.collect()
    gc.freeze()
    loop = Loop()
    watching = asyncio.create_task(loop.watch())
    try:
        yield loop
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        gc.unfreeze()
