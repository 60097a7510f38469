"""Runs and evaluations taken out of the history for good."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import CompareError
from .evaluations import running

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

ANSWERED = 16
"""Rows of an evaluation whose answers are removed at once."""

PAGES = 64
"""Of an index or of the file, looked after at once."""

_SOURCE = "json_extract(v.beginning, '$.source')"
"""The run whose answer a branch begins with."""

_UNUSED = "name = '' AND NOT saved AND id NOT IN (SELECT version FROM variants)"
"""Of a version: only a run that is gone had it."""

_RATED = "EXISTS (SELECT 1 FROM ratings WHERE rater = raters.id)"
"""Of a rater: said something."""


@dataclass(frozen=True)
class Old:
    """The ids of runs to be removed for their age, how many are as old and stay, and the keys of
    evaluations."""

    ids: Sequence[str]
    stay: int
    evaluations: Sequence[str] = ()


def older_than(connection: Connection, time: datetime) -> Old:
    """The evaluations begun before a time, but for those that go on or people rated, and the runs but for
    those that stay: going on, tagged, noted or rated, or in one conversation with such a run or a
    newer one, its branches included."""
    before = int(time.timestamp() * 1000)
    old = dict(connection.execute("SELECT id, key FROM runs WHERE at < ?", (before,)).fetchall())
    staying = connection.execute(
        "SELECT id FROM runs WHERE at >= ? OR ended IS NULL OR note != '' "
        f"UNION SELECT run FROM tags UNION SELECT run FROM raters WHERE run IS NOT NULL AND {_RATED}",
        (before,),
    ).fetchall()
    beside: dict[int, list[int]] = {}
    for one, other in connection.execute(
        "SELECT DISTINCT v.run, bv.run FROM outputs o JOIN variants v ON v.id = o.variant "
        "JOIN outputs b ON b.id = o.follows JOIN variants bv ON bv.id = b.variant "
        "WHERE o.follows IS NOT NULL UNION "
        f"SELECT v.run, b.id FROM variants v JOIN runs b ON b.key = {_SOURCE}"
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
    found = connection.execute(
        "SELECT key FROM evaluations WHERE at < ? AND id NOT IN "
        f"(SELECT evaluation FROM raters WHERE evaluation IS NOT NULL AND {_RATED})",
        (before,),
    )
    evaluations = [key for (key,) in found]
    going = running(connection, evaluations)
    return Old(ids, len(old) - len(ids), tuple(key for key in evaluations if key not in going))


def following(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ids of the other runs that repeat what these said, and of those that repeat what those
    did, oldest first: replies, and branches, which begin with what was said."""
    found: dict[str, int] = {}
    branches: dict[str, dict[str, int]] = {}
    for source, key, row in connection.execute(
        f"SELECT {_SOURCE}, r.key, r.id FROM variants v JOIN runs r ON r.id = v.run "
        "WHERE v.beginning IS NOT NULL"
    ):
        branches.setdefault(source, {})[key] = row
    waiting = list(keys)
    while waiting:
        before = waiting.pop()
        rows = connection.execute(
            "SELECT DISTINCT r.key, r.id FROM runs br JOIN variants bv ON bv.run = br.id "
            "JOIN outputs b ON b.variant = bv.id JOIN outputs o ON o.follows = b.id "
            "JOIN variants v ON v.id = o.variant JOIN runs r ON r.id = v.run WHERE br.key = ?",
            (before,),
        )
        those = {**dict(rows.fetchall()), **branches.get(before, {})}
        new = {key: row for key, row in those.items() if key not in found and key not in keys}
        found |= new
        waiting += new
    return sorted(found, key=found.__getitem__)


def remove_all(change: Change, keys: Sequence[str]) -> int:
    """Remove runs, rendered prompts and versions that no other run has, and evaluations; how many
    runs and evaluations.

    What repeats what a run said goes with it (`following`), and before it: of a conversation whose
    removal is cut off the beginning is left, to be removed again.
    A version that was saved to a file or given a name stays. Each `change` is a transaction of about
    `STEP_S`: what is recorded meanwhile is written in between. What is removed is overwritten in the
    file, once all is done and `wipe` has been called.
    """
    evaluations, more = change(lambda it: (_evaluations(it, keys), following(it, keys)))
    for row in evaluations:
        while change(partial(_remove_answers, row=row)):
            pass
    removed, left = len(evaluations), [*more[::-1], *keys]
    while left:
        done, found = change(lambda connection: _remove_some(connection, left))
        removed += found
        del left[:done]
    finish(change)
    return removed


def unfinished(connection: Connection) -> int:
    """A number that is another after each removal, and 0 once nothing of them is left: a
    program killed in between leaves it, and words in the indexes."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


def finish(change: Change) -> None:
    """Remove all that is left of runs that were removed."""
    number = change(unfinished)
    change(_remove_unused)
    for index in ("texts_words", "asked_words"):
        more = change(partial(_merge_some, index=index, begin=True))
        while more:
            more = change(partial(_merge_some, index=index, begin=False))
    while change(_give_some_back):
        pass
    change(partial(_finished, number=number))


def _finished(connection: Connection, number: int) -> None:
    if unfinished(connection) == number:  # else more was removed meanwhile, by who will finish it
        connection.execute("PRAGMA user_version = 0")


def _evaluations(connection: Connection, keys: Sequence[str]) -> list[int]:
    """The rows of those of the keys that are evaluations'. Raises CompareError for one that goes on."""
    if going := running(connection, keys):
        raise CompareError(f"The evaluation {going[0]} is being run; stop it first.")
    rows = connection.execute("SELECT key, id FROM evaluations").fetchall()
    found: dict[str, int] = dict(rows)
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def _remove_answers(connection: Connection, row: int) -> bool:
    """Remove some answers of an evaluation, or itself when there are none; whether more is left."""
    _began(connection)
    until = monotonic() + STEP_S
    while monotonic() < until:
        found = connection.execute(
            "DELETE FROM answers WHERE evaluation = ?1 AND row IN "
            "(SELECT DISTINCT row FROM answers WHERE evaluation = ?1 LIMIT ?2)",
            (row, ANSWERED),
        )
        if not found.rowcount:
            connection.execute("DELETE FROM evaluations WHERE id = ?", (row,))
            return False
    return True


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
    if removed:
        _began(connection)
    return done, removed


def _began(connection: Connection) -> None:
    connection.execute(f"PRAGMA user_version = {unfinished(connection) % 1_000_000 + 1}")


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


def _merge_some(connection: Connection, index: str, *, begin: bool) -> bool:
    """Merge the parts of an index, which lists words of what is gone until then; whether there is
    more to merge."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (index,)).fetchone():
        return False
    until, pages, more = monotonic() + STEP_S, -PAGES if begin else PAGES, True
    while more:
        before = connection.total_changes
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
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
