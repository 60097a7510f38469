"""What the worker has to say, written without ever waiting for the reader."""

from __future__ import annotations

import os

from .protocol import Delta, Event, Prefill, Scored, frame


class Outbox:
    """Events on their way to the client.

    The pipe is non-blocking. While the reader keeps up, each flush is one
    frame; when it stalls, the deltas and progress of one request merge into
    one event, so what waits is bounded by the text itself.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        self._unsent = memoryview(b"")
        self._events: list[Event] = []
        self._open: dict[tuple[type, int], int] = {}

    @property
    def pending(self) -> bool:
        return bool(self._unsent) or bool(self._events)

    def put(self, event: Event) -> None:
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

    def flush(self) -> None:
        """Write what the pipe takes now. Raises BrokenPipeError when the client is gone."""
        if self._unsent and not self._write():
            return
        if self._events:
            self._unsent = memoryview(frame(self._events))
            self._events = []
            self._open.clear()
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
