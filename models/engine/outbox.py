"""What the worker has to say, written without ever waiting for the reader."""

from __future__ import annotations

import os
import time

from .frames import frame
from .protocol import Delta, Event, Failed, Finished, Prefill, Scored

PACE_S = 0.03
"""Seconds between frames that only continue outputs: waking the client for every token of a small
model costs a tenth of its speed."""


class Outbox:
    """Events on their way to the client.

    The pipe is non-blocking. The deltas and progress of one request merge
    into one event while they wait, for the next frame or for a reader that
    stalls, so what waits is bounded by the text itself.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        self._unsent = memoryview(b"")
        self._events: list[Event] = []
        self._open: dict[tuple[type, int], int] = {}
        self._begun: set[int] = set()
        self._hurry = False
        self._flushed_at = 0.0

    @property
    def pending(self) -> bool:
        return bool(self._unsent) or bool(self._events)

    def put(self, event: Event) -> None:
        self._hurry |= not (isinstance(event, Delta) and event.id in self._begun)
        if isinstance(event, Delta):
            self._begun.add(event.id)
        elif isinstance(event, (Finished, Failed)):
            self._begun.discard(event.id)
        if isinstance(event, (Delta, Prefill, Scored)):
            key = (type(event), event.id)
            at = self._open.get(key)
            if at is None:
                self._open[key] = len(self._events)
            else:
                earlier = self._events[at]
                if isinstance(event, Delta) and isinstance(earlier, Delta):
                    earlier.ends += [len(earlier.text) + end for end in event.ends]
                    earlier.text += event.text
                    earlier.tokens += event.tokens
                    earlier.logprobs += event.logprobs
                elif isinstance(event, Scored) and isinstance(earlier, Scored):
                    earlier.logprobs += event.logprobs
                    earlier.logits += event.logits
                else:
                    self._events[at] = event
                return
        self._events.append(event)

    def flush(self, *, more: bool = False) -> None:
        """Write what the pipe takes now. Raises BrokenPipeError when the client is gone.

        When `more` will come soon, tokens of outputs that have begun may wait for it.
        """
        if self._unsent and not self._write():
            return
        now = time.monotonic()
        if self._events and (self._hurry or not more or now - self._flushed_at >= PACE_S):
            self._unsent = memoryview(frame(self._events))
            self._events = []
            self._open.clear()
            self._hurry, self._flushed_at = False, now
            self._write()

    def _write(self) -> bool:
        """Whether everything unsent is out."""
        while self._unsent:
            try:
                sent = os.write(self.fd, self._unsent)
            except BlockingIOError:
                return False
            self._unsent = self._unsent[sent:]
        return True
