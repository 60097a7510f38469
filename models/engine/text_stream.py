"""Turn token pieces into text: valid UTF-8, and stop strings never shown."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Joins the byte pieces of one sequence into text as they arrive.

    A character split over tokens is held until it is whole; text that may be
    the start of a stop string is held until it is not. Bytes that can never
    become UTF-8 turn into U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(s for s in stop if s)
        self._longest = max(map(len, self._stop), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, piece: bytes) -> tuple[str, bool]:
        """Text that may be shown now, and whether a stop string was completed.

        The stop string and what follows it are dropped.
        """
        text = self._held + self._decoder.decode(piece)
        if not self._stop:
            self._held = ""
            return text, False
        found = [at for at in (text.find(s) for s in self._stop) if at >= 0]
        if found:
            self._held = ""
            self._decoder.reset()
            return text[: min(found)], True
        keep = self._possible_stop(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], False

    def finish(self) -> str:
        """What was still held when the sequence ended."""
        text = self._held + self._decoder.decode(b"", final=True)
        self._held = ""
        return text

    def _possible_stop(self, text: str) -> int:
        """Length of the longest tail of `text` that begins a stop string."""
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            tail = text[-size:]
            if any(s.startswith(tail) for s in self._stop):
                return size
        return 0
