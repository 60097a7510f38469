"""Pasted text read in one piece, which Textual's parser takes character by character; and a
terminal's answer to whether it is well, which that one takes for keys."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.driver import Driver
from textual.events import Key, Paste
from textual.keys import Keys
from textual.message import Message

ASK, ANSWER = "\x1b[5n", "\x1b[0n"
"""Device status report: any terminal answers, in the order in which it reads."""


class Answered(Message):
    """The terminal has read all that was written before it was asked."""


class PasteParser(XTermParser):
    """Gives Textual's parser all but what stands between the marks of a paste.

    It sees an empty paste then, which gets its text here. Megabytes are there in milliseconds
    instead of a second each, in which the other threads hardly have the interpreter.
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasted: list[str] | None = None
        """What was pasted so far; None when nothing is being pasted."""
        self._seen = ""
        """The last characters given on, or pasted: a mark may come in two parts."""
        self._answers = 0
        super().__init__(debug)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        if sequence == ANSWER:
            self._answers += 1
            return [Key(Keys.Ignore, sequence)]
        return super()._sequence_to_key_events(sequence, alt)

    def feed(self, data: str) -> Iterable[Message]:
        yield from self._feed(data)
        while self._answers:
            self._answers -= 1
            yield Answered()

    def _feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)
        while data:
            mark = BRACKETED_PASTE_START if self._pasted is None else BRACKETED_PASTE_END
            known = len(self._seen)
            at = (self._seen + data).find(mark)
            end = len(data) if at < 0 else at + len(mark) - known
            piece, data = data[:end], data[end:]
            self._seen = (self._seen + piece)[1 - len(mark) :]
            if self._pasted is None:
                yield from super().feed(piece)
                if at >= 0:
                    self._pasted, self._seen = [], ""
            else:
                self._pasted.append(piece)
                if at >= 0:
                    text = "".join(self._pasted)[: -len(mark)]
                    self._pasted, self._seen = None, ""
                    for message in super().feed(mark):
                        yield Paste(text.replace("\x00", "")) if isinstance(message, Paste) else message  # fmt: skip


def with_own_parser(driver: type[Driver]) -> type[Driver]:
    """The driver, which looks the parser up in its module when it starts."""
    module = sys.modules[driver.__module__]
    if getattr(module, "XTermParser", None) is XTermParser:
        module.__dict__["XTermParser"] = PasteParser
    return driver
