"""A pause that takes effect at once, and an engine that may die once: what was under way begins anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ...models.engine.client import EngineError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Pause:
    """Whether an evaluation stands still. Use from one asyncio loop."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._over.set()
        self._under_way: dict[asyncio.Task[Any], bool] = {}
        """Each with whether a pause has ended it."""

    @property
    def on(self) -> bool:
        return not self._over.is_set()

    def begin(self) -> None:
        """Stop what is under way, and let nothing begin until `end`."""
        self._over.clear()
        for task in self._under_way:
            self._under_way[task] = True
            task.cancel()

    def end(self) -> None:
        self._over.set()

    async def through(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives: made after the pause, if there is one, and anew after each that ended it."""
        while True:
            await self._over.wait()
            task = asyncio.create_task(work())
            self._under_way[task] = False
            try:
                await asyncio.wait({task})
            finally:
                paused = self._under_way.pop(task)
                if not task.done():
                    task.cancel()
            if not (paused and task.cancelled()):
                return await task


async def once_more(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` gives; it is done once more when the engine dies in it. Raises EngineError."""
    try:
        return await work()
    except EngineError as error:
        log.warning("once more, as the engine died: %s", error)
        return await work()
