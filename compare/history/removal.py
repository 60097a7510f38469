"""Runs taken out of the history for good."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

PATIENCE_S = 3
"""How long to wait for a program that reads."""

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


def remove(connection: Connection, keys: Sequence[str]) -> int:
    """Remove runs, and rendered prompts and versions that no other run has; how many runs.

    A version that was saved to a file or given a name stays. What is removed is overwritten in the
    file, once `wipe` has been called.
    """
    removed = 0
    for key in keys:
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


def remove_evaluations(connection: Connection, time: datetime) -> int:
    """Remove the evaluations begun before a time, with their answers; how many there were."""
    before = int(time.timestamp() * 1000)
    return connection.execute("DELETE FROM evaluations WHERE at < ?", (before,)).rowcount


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
