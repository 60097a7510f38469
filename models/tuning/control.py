"""What is asked of a training while it runs, and how several processes hear of it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .parallel import Group


class Stopped(Exception):
    """Whoever waits wants no more steps."""


class Control(Protocol):
    """What is asked of a training while it runs."""

    def check(self) -> None:
        """Raises Stopped once the training is to end."""
        ...

    @property
    def paused(self) -> bool: ...

    def wait(self) -> None:
        """Until it may go on. Raises Stopped."""
        ...


class Agreed:
    """What the first process of a group is asked, to all of them at the same moment; `heard` is None
    in the others."""

    def __init__(self, group: Group, heard: Control | None) -> None:
        self._group, self._heard = group, heard

    def check(self) -> None:
        """Raises Stopped once the training is to end."""
        self._ask(lambda it: it.check())

    @property
    def paused(self) -> bool:
        return self._group.agreed(self._heard is not None and self._heard.paused)

    def wait(self) -> None:
        """Until it may go on. Raises Stopped."""
        self._ask(lambda it: it.wait())

    def _ask(self, ask: Callable[[Control], None]) -> None:
        stopped = False
        try:
            if self._heard is not None:
                ask(self._heard)
        except Stopped:
            stopped = True
        if self._group.agreed(stopped):
            raise Stopped
