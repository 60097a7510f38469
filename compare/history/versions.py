"""Versions of prompts: every distinct content that was run or saved, by what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...prompts.document import Prompt
from ..diff.result import Diff
from ..errors import CompareError
from .content import canonical, digest, file_key, identity, pack, readable, unpack
from .packing import clean, moment, now

if TYPE_CHECKING:
    from sqlite3 import Connection


@dataclass(frozen=True)
class Version:
    """One content that a prompt had. `at` is when it was first run or saved, in UTC."""

    id: int
    at: datetime
    name: str
    """What a person called it; empty unless they did."""
    parent: int | None
    """The version before it, in which it was made."""
    runs: int
    """How many runs used it."""
    saved: bool
    """It was written to a file."""


@dataclass(frozen=True)
class FieldChange:
    """A field that differs between two versions: its text in both, and how they differ."""

    field: str
    before: str
    after: str
    diff: Diff


def record(connection: Connection, prompt: Prompt, *, saved: bool = False) -> int:
    """The id of the version with this content, made if it is new."""
    key, content = identity(prompt), canonical(prompt)
    mark = digest(content)
    found = connection.execute(
        "SELECT id, saved FROM versions WHERE prompt = ? AND hash = ?", (key, mark)
    ).fetchone()
    if found is not None:
        if saved and not found[1]:
            connection.execute("UPDATE versions SET saved = 1 WHERE id = ?", (found[0],))
        return found[0]
    (parent,) = connection.execute(_LATEST, {"prompt": key}).fetchone()
    made = connection.execute(
        "INSERT INTO versions (prompt, hash, content, at, saved, parent) VALUES (?, ?, ?, ?, ?, ?)",
        (key, mark, pack(content), now(), saved, parent),
    )
    assert made.lastrowid is not None
    return made.lastrowid


_LATEST = """
SELECT coalesce(
    (SELECT v.version FROM variants v JOIN versions w ON w.id = v.version
     WHERE w.prompt = :prompt ORDER BY v.id DESC LIMIT 1),
    (SELECT max(id) FROM versions WHERE prompt = :prompt))
"""
"""The version of a prompt that was run last, which need not be its newest; else the newest."""


def versions(connection: Connection, prompt: Prompt) -> list[Version]:
    """The versions of a prompt, newest first."""
    rows = connection.execute(
        "SELECT w.id, w.at, w.name, w.parent, w.saved, count(DISTINCT v.run) FROM versions w "
        "LEFT JOIN variants v ON v.version = w.id WHERE w.prompt = ? "
        "GROUP BY w.id ORDER BY w.id DESC",
        (identity(prompt),),
    )
    return [
        Version(row, moment(at), name, parent, runs, bool(saved))
        for row, at, name, parent, saved, runs in rows
    ]


def version(connection: Connection, number: int, path: Path | None = None) -> Prompt:
    """The prompt as it was in a version, said to be from `path`. Raises CompareError."""
    row = connection.execute("SELECT content FROM versions WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise CompareError(f"There is no version {number} of a prompt.")
    return unpack(row[0], path)


def rename(connection: Connection, number: int, name: str) -> None:
    """Call a version something; empty takes the name off. Raises CompareError."""
    found = connection.execute("UPDATE versions SET name = ? WHERE id = ?", (clean(name), number))
    if not found.rowcount:
        raise CompareError(f"There is no version {number} of a prompt.")


def moved(connection: Connection, before: Path, after: Path) -> None:
    """File the versions of one file under another, where some may be that have the same content."""
    old, new = file_key(before), file_key(after)
    if old == new:
        return
    connection.execute("UPDATE OR IGNORE versions SET prompt = ? WHERE prompt = ?", (new, old))
    same = connection.execute(
        "SELECT a.id, b.id FROM versions a JOIN versions b ON b.hash = a.hash AND b.prompt = ? "
        "WHERE a.prompt = ?",
        (new, old),
    ).fetchall()
    for pair in same:
        for table, column in (("variants", "version"), ("versions", "parent")):
            connection.execute(f"UPDATE {table} SET {column} = ?2 WHERE {column} = ?1", pair)
        saved, name = connection.execute(
            "SELECT saved, name FROM versions WHERE id = ?", pair[:1]
        ).fetchone()
        connection.execute(
            "UPDATE versions SET saved = max(saved, ?), "
            "name = CASE name WHEN '' THEN ? ELSE name END WHERE id = ?",
            (saved, name, pair[1]),
        )
        connection.execute("DELETE FROM versions WHERE id = ?", pair[:1])


def changes(before: Prompt, after: Prompt) -> list[FieldChange]:
    """Word by word, the fields in which two prompts differ, in the order of the document."""
    from ..diff.live import diff

    old, new = readable(before), readable(after)
    return [
        FieldChange(field, old.get(field, ""), new.get(field, ""), diff(old.get(field, ""), new.get(field, "")))
        for field in {**new, **old}
        if old.get(field) != new.get(field)
    ]  # fmt: skip
