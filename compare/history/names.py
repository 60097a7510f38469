"""The run or the evaluation that a name stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from ..errors import CompareError

if TYPE_CHECKING:
    from sqlite3 import Connection


@dataclass(frozen=True)
class Kind:
    """What there are ids of: their table, what one is called, and the command that lists them."""

    table: str
    word: str
    listed: str


RUNS = Kind("runs", "run", "history list")
EVALUATIONS = Kind("evaluations", "evaluation", "history evals")


def find(connection: Connection, name: str, kind: Kind = RUNS) -> str:
    """The id of what is meant by an id, by the beginning of one, or by `last`.

    Raises CompareError when there is none, or more than one.
    """
    if name == "last":
        newest = connection.execute(f"SELECT key FROM {kind.table} ORDER BY id DESC LIMIT 1")
        return (newest.fetchone() or none_yet(kind))[0]
    keys = beginning(connection, name, kind)
    if name in keys:
        return name
    if len(keys) != 1 or not name:
        some = f"could be any of {', '.join(keys)}" if keys and name else "is not in the history"
        raise CompareError(
            f"The {kind.word} {name!r} {some}; `llamadiff {kind.listed}` shows them."
        )
    return keys[0]


def beginning(connection: Connection, name: str, kind: Kind) -> list[str]:
    """The ids that begin so, at most five."""
    # Ids are hexadecimal: whatever else is given matches nothing.
    found = connection.execute(
        f"SELECT key FROM {kind.table} WHERE key >= ? AND key < ? ORDER BY key LIMIT 5",
        (name, f"{name}\U0010ffff"),
    )
    return [key for (key,) in found]


def none_yet(kind: Kind) -> NoReturn:
    """Raise CompareError: nothing of the kind is there."""
    raise CompareError(f"The history holds no {kind.word} yet.")
