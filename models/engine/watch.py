"""Which requests the decode in progress serves, for the thread that may have to stop it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .context import AbortFlag


class Watch:
    """Shared by the thread that decodes and the one that reads commands."""

    def __init__(self) -> None:
        self.abort = AbortFlag()
        self._lock = threading.Lock()
        self._active: frozenset[int] = frozenset()
        self._yields = False

    @contextmanager
    def serving(self, ids: frozenset[int], *, yields: bool = False) -> Iterator[None]:
        """The decode inside serves these requests; `yields` if it may be stopped for urgent ones."""
        with self._lock:
            self._active, self._yields = ids, yields
            self.abort.clear()
        try:
            yield
        finally:
            with self._lock:
                self._active, self._yields = frozenset(), False
                self.abort.clear()

    def cancel(self, ids: Sequence[int]) -> None:
        """Stop the decode in progress if it serves nobody else."""
        with self._lock:
            if self._active and self._active <= set(ids):
                self.abort.set()

    def urgent(self) -> None:
        """Stop the decode in progress if it yields: something that a person looks at has come."""
        with self._lock:
            if self._yields:
                self.abort.set()
