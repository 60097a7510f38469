"""Runs taken out of the history for good."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")


class Change(Protocol):
    """Does a job in a transaction of its own."""

    def __call__(self, job: Callable[[Connection], T], /) -> T: ...


PATIENCE_S = 3
"""How long to wait for a program that reads."""

STEP_S = 0.1
"""How long a step of a removal takes, about; other things are written between two."""

PAGES = 64
"""Of an index or of the file, looked after at once."""

_UNUSED = "name = '' AND NOT saved AND id NOT IN (SELECT version FROM variants)"
"""Of a version: only a run that is gone had it."""


def older_than(connection: Connection, time: datetime) -> list[str]:
    """The ids of the runs begun before a time."""
    before = int(time.timestamp() * 1000)
    return [key for (key,) in connection.execute("SELECT key FROM runs WHERE at < ?", (before,))]


def expired(connection: Connection, time: datetime) -> list[str]:
    """The ids of the runs begun before a time, over, and neither tagged nor noted."""
    before = int(time.timestamp() * 1000)
    found = connection.execute(
        "SELECT key FROM runs WHERE at < ? AND ended IS NOT NULL AND note = '' "
        "AND id NOT IN (SELECT run FROM tags)",
        (before,),
    )
    return [key for (key,) in found]


def remove_all(change: Change, keys: Sequence[str]) -> int:
    """Remove runs, and rendered prompts and versions that no other run has; how many runs.

    A version that was saved to a file or given a name stays. Each `change` is a transaction of about
    `STEP_S`: what is recorded meanwhile is written in between. What is removed is overwritten in the
    file, once all is done and `wipe` has been called.
    """
    removed, left = 0, list(keys)
    while left:
        done, found = change(lambda connection: _remove_some(connection, left))
        removed += found
        del left[:done]
    change(_remove_unused)
    for table in ("texts", "rendered"):
        more = change(partial(_merge_some, table=table, begin=True))
        while more:
            more = change(partial(_merge_some, table=table, begin=False))
    while change(_give_some_back):
        pass
    return removed


def _remove_some(connection: Connection, keys: Sequence[str]) -> tuple[int, int]:
    """Remove the first of these runs, one at least: how many keys that were, and how many runs."""
    until, done, removed = monotonic() + STEP_S, 0, 0
    while done < len(keys) and (not done or monotonic() < until):
        key = keys[done]
        rendered = connection.execute(
            "SELECT DISTINCT o.rendered FROM runs r JOIN variants v ON v.run = r.id "
            "JOIN outputs o ON o.variant = v.id WHERE r.key = ? AND o.rendered IS NOT NULL",
            (key,),
        ).fetchall()
        removed += connection.execute("DELETE FROM runs WHERE key = ?", (key,)).rowcount
        connection.executemany(
            "DELETE FROM rendered WHERE id = ?1 "
            "AND NOT EXISTS (SELECT 1 FROM outputs WHERE rendered = ?1)",
            rendered,
        )
        done += 1
    return done, removed


def _remove_unused(connection: Connection) -> None:
    connection.execute(
        "DELETE FROM rendered WHERE id NOT IN "
        "(SELECT rendered FROM outputs WHERE rendered IS NOT NULL)"
    )
    unused = connection.execute(f"SELECT id FROM versions WHERE {_UNUSED}").fetchall()
    for (row,) in unused:
        connection.execute(
            "UPDATE versions SET parent = (SELECT parent FROM versions WHERE id = :id) "
            "WHERE parent = :id",
            {"id": row},
        )
        connection.execute("DELETE FROM versions WHERE id = ?", (row,))


def _merge_some(connection: Connection, table: str, *, begin: bool) -> bool:
    """Merge the parts of an index, which lists words of what is gone until then; whether there is
    more to merge."""
    name = f"{table}_words"
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone():
        return False
    until, pages, more = monotonic() + STEP_S, -PAGES if begin else PAGES, True
    while more:
        before = connection.total_changes
        connection.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', ?)", (pages,))
        more = connection.total_changes - before >= 2  # as FTS5's documentation says it
        if monotonic() > until:
            break
        pages = PAGES
    return more


def _give_some_back(connection: Connection) -> bool:
    """Make the file smaller by pages that hold nothing; whether there are more."""
    until, free, before = monotonic() + STEP_S, _free(connection), 0
    while free and free != before:
        connection.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
        free, before = _free(connection), free
        if monotonic() > until:
            break
    return 0 < free != before


def wipe(file: Path) -> bool:
    """Have no journal hold what was removed.

    False when another program that reads still needs the journal: SQLite takes that away with the
    last program that closes the database.
    """
    import sqlite3

    with contextlib.closing(sqlite3.connect(file, timeout=PATIENCE_S)) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy


def _free(connection: Connection) -> int:
    """Pages of the file that hold nothing."""
    return connection.execute("PRAGMA freelist_count").fetchone()[0]
