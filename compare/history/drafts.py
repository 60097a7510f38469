"""What was typed and not saved yet, kept from one start of the app to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...prompts.document import Prompt
from ..errors import CompareError
from .content import canonical, file_key, identity, pack, unpack
from .packing import moment, now, path_in, path_out
from .writer import Broken, whole

if TYPE_CHECKING:
    from sqlite3 import Connection

MOST_UNDO = 4_000_000
"""Bytes of undo steps that are kept for one draft; longer ones are not kept at all."""

MOST_SETTLED = 100
"""Drafts that are kept for their undo steps alone."""


@dataclass(frozen=True)
class Draft:
    """A prompt as it was typed, with the path of its file, and when, in UTC.

    `base` is what the file said that it was typed over, None where there is no file. `undo` holds
    the editor's undo steps in a form of its own. A draft that says what its file said is kept for
    these alone.
    """

    id: str
    at: datetime
    prompt: Prompt
    base: Prompt | None
    undo: bytes = b""


class Drafts:
    """The drafts, each with an id of its own: a prompt may have several.

    `save`, `take` and `drop` return at once and are written within a second. A draft belongs to
    the program that saved it for as long as that runs; then it is anybody's. `on_trouble` is told
    of a draft that cannot be read or written, once; it is left out.
    """

    def __init__(
        self,
        read: Callable[[Callable[[Connection], list[Draft]], list[Draft]], list[Draft]],
        wake: Callable[[], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._read = read
        self._wake = wake
        self._on_trouble = on_trouble
        self._waiting: dict[str, Draft | None] = {}
        self._own: set[str] = set()
        """What was saved here and not dropped."""
        self._released = False
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def newest(self, prompt: Prompt, but: Collection[str] = ()) -> Draft | None:
        """The newest draft of a prompt's file that is nobody else's, nor one of `but`, if any.

        One that is kept for its undo steps alone comes after all others.

        Reads a file: call it off the event loop. Raises CompareError when the history cannot be
        read.
        """
        key = identity(prompt)
        return next(iter(self._read(lambda it: self._free(it, but, key), [])), None)

    def free(self, but: Collection[str] = ()) -> list[Draft]:
        """All drafts that are nobody else's, without those of `but`, newest first. As `newest`.

        Those kept for their undo steps alone are left out.
        """
        return self._read(lambda it: self._free(it, but), [])

    def _free(
        self, connection: Connection, but: Collection[str], prompt: str | None = None
    ) -> list[Draft]:
        from .adopt import nobodys

        rows = connection.execute(
            "SELECT id, owner, at, path, base, content, undo FROM drafts "
            "WHERE prompt = :prompt OR :prompt IS NULL AND content IS NOT base "
            "ORDER BY content IS base, at DESC, rowid DESC",
            {"prompt": prompt},
        ).fetchall()
        found: list[Draft] = []
        for key, owner, at, *content in rows:
            if key not in but and (key in self._own or nobodys(owner, moment(at))):
                try:
                    found.append(_draft(key, moment(at), *content))
                except CompareError as error:
                    self._tell(key, f"A draft is left out. {error}")
        return found

    def save(self, key: str, prompt: Prompt, base: Prompt | None, undo: bytes = b"") -> None:
        """Keep a draft under an id, in the place of the one before."""
        kept = undo if len(undo) <= MOST_UNDO else b""
        self._change({key: Draft(key, moment(now()), prompt, base, kept)})

    def take(self, draft: Draft, key: str) -> None:
        """Go on with a draft that was nobody's, under an id of one's own."""
        self._change({key: replace(draft, id=key), draft.id: None})

    def drop(self, key: str) -> None:
        """Keep a draft no more: it was saved, or is not wanted."""
        self._change({key: None})

    def _change(self, changes: dict[str, Draft | None]) -> None:
        with self._lock:
            self._waiting |= changes
            for key, draft in changes.items():
                (self._own.discard if draft is None else self._own.add)(key)
        self._wake()

    def release(self, connection: Connection) -> None:
        """Have all drafts that were saved here be anybody's: nothing is typed any more."""
        with self._lock:
            self._released = True
            own = [(key,) for key in self._own]
        connection.executemany("UPDATE drafts SET owner = '' WHERE id = ?", own)
        connection.execute(
            "DELETE FROM drafts WHERE content = base AND id NOT IN "
            "(SELECT id FROM drafts WHERE content = base ORDER BY at DESC LIMIT ?)",
            (MOST_SETTLED,),
        )

    def moved(self, before: Path, after: Path) -> Callable[[Connection], None]:
        """What writes that a file has another path now."""
        old, new = file_key(before), file_key(after)
        with self._lock:
            for key, draft in self._waiting.items():
                if draft is not None and identity(draft.prompt) == old:
                    self._waiting[key] = replace(draft, prompt=replace(draft.prompt, path=after))

        def write(connection: Connection) -> None:
            connection.execute(
                "UPDATE drafts SET prompt = ?, path = ? WHERE prompt = ? AND path IS NOT NULL",
                (new, path_out(after), old),
            )

        return write

    def _tell(self, key: str, sentence: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._on_trouble(sentence)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def owned(self) -> bool:
        """Whether any draft was saved here that was not dropped."""
        return bool(self._own)

    def start_over(self) -> None:
        """Drafts that were written are gone with the file; what waits is written to the new one."""

    def write(self, connection: Connection) -> Callable[[], None]:
        with self._lock:
            todo = dict(self._waiting)
        for key, draft in todo.items():
            if draft is None:
                connection.execute("DELETE FROM drafts WHERE id = ?", (key,))
                continue
            try:
                whole(connection, partial(self._insert, draft=draft))
            except Broken as broken:
                self._tell(key, f"A draft cannot be kept: {broken.error!r}.")

        def written() -> None:
            with self._lock:
                for key, draft in todo.items():
                    if self._waiting[key] is draft:
                        del self._waiting[key]

        return written

    def _insert(self, connection: Connection, draft: Draft) -> None:
        from .adopt import owner

        base = None if draft.base is None else pack(canonical(draft.base))
        path = draft.prompt.path and draft.prompt.path.absolute()
        connection.execute(
            "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "prompt = excluded.prompt, path = excluded.path, owner = excluded.owner, "
            "at = excluded.at, base = excluded.base, content = excluded.content, "
            "undo = excluded.undo",
            (
                draft.id, identity(draft.prompt), path_out(path),
                "" if self._released else owner(), round(draft.at.timestamp() * 1000), base,
                pack(canonical(draft.prompt)), draft.undo,
            ),
        )  # fmt: skip


def _draft(
    key: str,
    at: datetime,
    path: bytes | None,
    base: bytes | None,
    content: bytes,
    undo: bytes,
) -> Draft:
    return Draft(
        key,
        at,
        unpack(content, path_in(path)),
        None if base is None else unpack(base, path_in(path)),
        undo,
    )
