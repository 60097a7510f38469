"""What was typed and not saved yet, kept from one start of the app to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ...prompts.document import Prompt
from .content import canonical, pack, unpack
from .packing import moment, now

if TYPE_CHECKING:
    from sqlite3 import Connection

MOST_UNDO = 4_000_000
"""Bytes of undo steps that are kept for one draft; longer ones are not kept at all."""


@dataclass(frozen=True)
class Draft:
    """A prompt as it was typed, without its file, when, in UTC, and the editor's undo steps in a
    form of its own."""

    at: datetime
    prompt: Prompt
    undo: bytes


class Drafts:
    """The drafts by key, which is the `identity` of the prompt that was opened.

    `save` and `drop` return at once and are written within a second; only the newest is. What
    `load` gives is what was last saved, here or by a program before.
    """

    def __init__(
        self,
        read: Callable[[Callable[[Connection], Draft | None], None], Draft | None],
        wake: Callable[[], None],
    ) -> None:
        self._read = read
        self._wake = wake
        self._waiting: dict[str, Draft | None] = {}
        self._lock = threading.Lock()

    def load(self, key: str) -> Draft | None:
        """The draft that is kept, if any. Reads a file: call it off the event loop.

        Raises CompareError when the history cannot be read.
        """
        with self._lock:
            if key in self._waiting:
                return self._waiting[key]
        return self._read(lambda connection: _load(connection, key), None)

    def save(self, key: str, prompt: Prompt, undo: bytes = b"") -> None:
        """Keep a draft in the place of the one before."""
        self._change(key, Draft(moment(now()), prompt, undo if len(undo) <= MOST_UNDO else b""))

    def drop(self, key: str) -> None:
        """Keep no draft any more: it was saved, or is not wanted."""
        self._change(key, None)

    def _change(self, key: str, draft: Draft | None) -> None:
        with self._lock:
            self._waiting[key] = draft
        self._wake()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def start_over(self) -> None:
        """Drafts that were written are gone with the file; what waits is written to the new one."""

    def write(self, connection: Connection) -> Callable[[], None]:
        with self._lock:
            todo = dict(self._waiting)
        for key, draft in todo.items():
            if draft is None:
                connection.execute("DELETE FROM drafts WHERE key = ?", (key,))
                continue
            at = round(draft.at.timestamp() * 1000)
            connection.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "at = excluded.at, content = excluded.content, undo = excluded.undo",
                (key, at, pack(canonical(draft.prompt)), draft.undo),
            )

        def written() -> None:
            with self._lock:
                for key, draft in todo.items():
                    if self._waiting[key] is draft:
                        del self._waiting[key]

        return written


def _load(connection: Connection, key: str) -> Draft | None:
    row = connection.execute(
        "SELECT at, content, undo FROM drafts WHERE key = ?", (key,)
    ).fetchone()
    return None if row is None else Draft(moment(row[0]), unpack(row[1]), row[2])
