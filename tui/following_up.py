"""What goes on behind a run that is over: hashes, what adapters change, its end in the history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.effects import Effects
    from ..compare.history.history import History
    from ..compare.run import Run
    from ..compare.runner import Runner


class FollowUps:
    """The next run need not wait for these. `on_change` is called when something came of one."""

    def __init__(
        self, history: Callable[[], History | None], on_change: Callable[[], None]
    ) -> None:
        self._history = history
        self._on_change = on_change
        self._effects: Effects | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether any goes on."""
        return bool(self._tasks)

    def begin(self, runner: Runner, run: Run) -> None:
        """Complete the stamps of a run and see which adapters change nothing. Then the run is as the
        history keeps it."""
        from ..compare.effects import Effects

        effects = self._effects
        if effects is None:
            effects = self._effects = Effects(runner.engine, runner.settings_of)

        async def hash_files() -> None:
            await runner.hash_files(run)
            self._on_change()

        async def measure() -> None:
            if await effects.mark(run.outputs):
                self._on_change()

        async def complete() -> None:
            try:
                await asyncio.gather(hash_files(), measure())
            finally:
                if (history := self._history()) is not None:
                    history.end(run)

        task = asyncio.create_task(complete(), name="complete")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """End them as they are."""
        for task in self._tasks:
            task.cancel()
