"""Loads models on a thread of its own, one after the other: streams go on, and a load can be stopped."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..gguf.facts import ModelFacts
from . import native
from .protocol import Load, Loading

PROGRESS_S = 0.05
"""Between two reports of progress."""


@dataclass(frozen=True)
class Outcome:
    """How a load ended: with a model, or with the sentence why not."""

    command: Load
    facts: ModelFacts
    model: native.Model | None
    message: str = ""


class Loader:
    """`post` is called on the loading thread with progress and, last, the outcome."""

    def __init__(self, post: Callable[[Loading | Outcome], None]) -> None:
        self._post = post
        self._queue: deque[Load] = deque()
        self._current: int | None = None
        self._stopped = False

    def submit(self, command: Load) -> None:
        self._queue.append(command)

    def next(self) -> Load | None:
        """The load to begin now, if none is under way."""
        return self._queue.popleft() if self._queue and self._current is None else None

    def begin(self, command: Load, facts: ModelFacts) -> None:
        """Start loading; the outcome comes by `post`, and goes to `end`."""
        self._current, self._stopped = command.id, False
        threading.Thread(target=self._load, args=(command, facts), name="load", daemon=True).start()

    def end(self) -> bool:
        """The outcome was received; whether the load had been stopped."""
        self._current = None
        return self._stopped

    def cancel(self, ids: set[int]) -> list[int]:
        """Stop loads with these ids; those that had not begun are returned."""
        waiting = [command.id for command in self._queue if command.id in ids]
        self._queue = deque(command for command in self._queue if command.id not in ids)
        self._stopped = self._stopped or self._current in ids
        return waiting

    def _load(self, command: Load, facts: ModelFacts) -> None:
        told = 0.0

        def progress(fraction: float) -> bool:
            nonlocal told
            now = time.monotonic()
            if now - told > PROGRESS_S:
                told = now
                self._post(Loading(command.id, fraction))
            return not self._stopped

        try:
            model = native.Model(command.path, command.settings, progress)
        except native.NativeError as error:
            self._post(Outcome(command, facts, None, str(error)))
        else:
            model.know_special()
            self._post(Outcome(command, facts, model))
