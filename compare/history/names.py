"""The run that a name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import CompareError

if TYPE_CHECKING:
    from sqlite3 import Connection


def find(connection: Connection, name: str) -> str:
    """The id of the run meant by an id, by the beginning of one, or by `last`.

    Raises CompareError when there is none, or more than one.
    """
    if name == "last":
        newest = connection.execute("SELECT key FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        if newest is None:
            raise CompareError("The history holds no run yet.")
        return newest[0]
    # Ids are hexadecimal: whatever else is given matches nothing.
    found = connection.execute(
        "SELECT key FROM runs WHERE key >= ? AND key < ? ORDER BY key LIMIT 5",
        (name, f"{name}\U0010ffff"),
    ).fetchall()
    keys = [key for (key,) in found]
    if name in keys:
        return name
    if len(keys) != 1 or not name:
        some = f"could be any of {', '.join(keys)}" if keys and name else "is not in the history"
        raise CompareError(f"The run {name!r} {some}; `llamadiff history list` shows them.")
    return keys[0]
