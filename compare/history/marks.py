"""What a person puts to a run: a note and tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import CompareError
from .packing import clean

if TYPE_CHECKING:
    from sqlite3 import Connection


def annotate(connection: Connection, key: str, note: str) -> None:
    """Put a note to a run; empty takes it off. Raises CompareError."""
    connection.execute(
        "UPDATE runs SET note = ? WHERE id = ?", (clean(note), _row(connection, key))
    )


def tag(connection: Connection, key: str, tags: Sequence[str]) -> None:
    """Give a run exactly these tags. Raises CompareError."""
    row = _row(connection, key)
    connection.execute("DELETE FROM tags WHERE run = ?", (row,))
    for name in {clean(name.strip()) for name in tags} - {""}:
        connection.execute("INSERT INTO tags VALUES (?, ?)", (row, name))


def _row(connection: Connection, key: str) -> int:
    found = connection.execute("SELECT id FROM runs WHERE key = ?", (key,)).fetchone()
    if found is None:
        raise CompareError(f"The run {key!r} is not in the history.")
    return found[0]
