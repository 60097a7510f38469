"""Runs taken out of the history for good."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

PATIENCE_S = 3
"""How long to wait for a program that reads."""

_UNUSED = "name = '' AND NOT saved AND id NOT IN (SELECT version FROM variants)"
"""Of a version: only a run that is gone had it."""


@dataclass(frozen=True)
class Old:
    """The ids of runs to be removed for their age, and how many are as old and stay."""

    ids: Sequence[str]
    stay: int


def older_than(connection: Connection, time: datetime) -> Old:
    """The runs begun before a time, but for those that stay: going on, tagged or noted, or in one
    conversation with such a run or a newer one."""
    before = int(time.timestamp() * 1000)
    old = dict(connection.execute("SELECT id, key FROM runs WHERE at < ?", (before,)).fetchall())
    staying = connection.execute(
        "SELECT id FROM runs WHERE at >= ? OR ended IS NULL OR note != '' "
        "UNION SELECT run FROM tags",
        (before,),
    ).fetchall()
    beside: dict[int, list[int]] = {}
    for one, other in connection.execute(
        "SELECT DISTINCT v.run, bv.run FROM outputs o JOIN variants v ON v.id = o.variant "
        "JOIN outputs b ON b.id = o.follows JOIN variants bv ON bv.id = b.variant "
        "WHERE o.follows IS NOT NULL"
    ):
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    waiting = [row for (row,) in staying]
    stay = set(waiting)
    while waiting:
        new = set(beside.get(waiting.pop(), ())) - stay
        stay |= new
        waiting += new
    ids = [key for row, key in old.items() if row not in stay]
    return Old(ids, len(old) - len(ids))


def replies(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ids of the other runs that go on from these, and from those, oldest first."""
    found: dict[str, int] = {}
    waiting = list(keys)
    while waiting:
        rows = connection.execute(
            "SELECT DISTINCT r.key, r.id FROM runs br JOIN variants bv ON bv.run = br.id "
            "JOIN outputs b ON b.variant = bv.id JOIN outputs o ON o.follows = b.id "
            "JOIN variants v ON v.id = o.variant JOIN runs r ON r.id = v.run WHERE br.key = ?",
            (waiting.pop(),),
        )
        new = {key: row for key, row in rows if key not in found and key not in keys}
        found |= new
        waiting += new
    return sorted(found, key=found.__getitem__)


def remove(connection: Connection, keys: Sequence[str]) -> int:
    """Remove runs, and rendered prompts and versions that no other run has; how many runs.

    What replies to a run repeats what that said, and goes with it (`replies`).
    A version that was saved to a file or given a name stays. What is removed is overwritten in the
    file, once `wipe` has been called.
    """
    removed = 0
    for key in (*keys, *replies(connection, keys)):
        removed += connection.execute("DELETE FROM runs WHERE key = ?", (key,)).rowcount
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
    for table in ("texts", "rendered"):
        name = f"{table}_words"
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone():
            # The index lists words of what is gone until its parts are merged.
            connection.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
    return removed


def wipe(file: Path) -> bool:
    """Give the space back, and have no journal hold what was removed.

    False when another program that reads still needs the journal: SQLite takes that away with the
    last program that closes the database.
    """
    import sqlite3

    with contextlib.closing(sqlite3.connect(file, timeout=PATIENCE_S)) as connection:
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA incremental_vacuum").fetchall()
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy
