"""The models that the engine's client has asked for: under way or resident, and who waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .protocol import Loading, ModelInfo, ModelSettings, SpecialTexts, file_version

log = logging.getLogger(__name__)
Progress = Callable[[float], None]
Key = tuple[Path, str, ModelSettings]


def key_of(path: Path, settings: ModelSettings) -> Key:
    """What makes a resident model the one asked for: its file as it is now, and its settings."""
    path = path.resolve()
    return path, file_version(path), settings


@dataclass(frozen=True)
class LoadedModel:
    """A base model resident in the worker."""

    key: int
    path: Path
    info: ModelInfo
    special: SpecialTexts = field(default_factory=SpecialTexts)
    ends: frozenset[int] = frozenset()
    """The tokens that end an answer."""


@dataclass(eq=False)
class Residency:
    """A load that is under way or done, and who waits for it."""

    id: int
    task: asyncio.Task[LoadedModel]
    listeners: list[Progress] = field(default_factory=list[Progress])
    waiting: int = 0

    @property
    def result(self) -> LoadedModel | None:
        done = self.task.done() and not self.task.cancelled() and not self.task.exception()
        return self.task.result() if done else None

    @property
    def failed(self) -> bool:
        return self.task.done() and self.result is None


class Loads(dict[Key, Residency]):
    """Every load by what makes it the one asked for."""

    def forget(self, model: int) -> None:
        """Take out the one with this number."""
        for key in [key for key, load in self.items() if load.id == model]:
            del self[key]

    def tell(self, event: Loading) -> None:
        """Say how far a load has come; a listener that fails must not end the reading of events."""
        for load in list(self.values()):
            for listener in load.listeners if load.id == event.id else ():
                try:
                    listener(event.fraction)
                except Exception:
                    log.exception("a listener to loading failed")
