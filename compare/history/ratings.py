"""Ratings in the history: what people said of two answers, each written the moment it is given."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from ..errors import CompareError
from .packing import clean, moment, now

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")
Answer = Literal["first", "second", "tie", "both bad", "skip"]

LAST = "last"
"""The newest of evaluations and runs."""
NOTHING_YET = (
    "The history holds nothing that could be rated yet; `llamadiff eval` and `run` make it."
)


class Reading(Protocol):
    def __call__(self, query: Callable[[Connection], T], empty: T) -> T: ...


class Changing(Protocol):
    def __call__(self, job: Callable[[Connection], T]) -> T: ...


@dataclass(frozen=True)
class Rated:
    """What the key of an evaluation or of a run stands for."""

    kind: Literal["evaluation", "run"]
    key: str


@dataclass(frozen=True)
class Kept:
    """What a rater said of a row's answers by two variants, `first` being shown first.

    Without an `answer` there is only a note, or what should have been said instead (`edited`).
    """

    rater: str
    row: int
    repeat: int
    first: str
    second: str
    answer: Answer | None = None
    note: str = ""
    edited: str = ""
    at: datetime | None = None

    @property
    def pair(self) -> tuple[int, int, frozenset[str]]:
        """The same whichever is shown first."""
        return (self.row, self.repeat, frozenset((self.first, self.second)))


@dataclass(frozen=True)
class Count:
    """How much was said of an evaluation or a run: so many ratings prefer an answer, so many answers
    were `edited`. `name` is that of the suite, empty for a run; `at` is when the last one was given."""

    what: Rated
    name: str
    preferred: int
    edited: int
    at: datetime


class Ratings:
    """What the history keeps of ratings. All of it waits until it is done."""

    def __init__(self, read: Reading, change: Changing) -> None:
        self._read = read
        self._change = change

    def find(self, name: str) -> Rated:
        """What a person means: `last`, the key of an evaluation or the id of a run, or how
        it begins, or a suite by its name or file, of which the newest evaluation is taken.

        Raises CompareError when there is none, or more than one.
        """
        found = self._read(lambda it: _find(it, name), None)
        if found is None:
            raise CompareError(NOTHING_YET)
        return found

    def begin(self, what: Rated, rater: str) -> int:
        """The seed of a rater, drawn and written down the first time. Raises CompareError."""
        return self._change(lambda it: _begin(it, what, clean(rater)))

    def seeds(self, what: Rated) -> dict[str, int]:
        """Of all raters, by their names, in the order in which they began."""
        return self._read(lambda it: _seeds(it, what), {})

    def put(self, what: Rated, kept: Kept) -> None:
        """Keep what a rater says of a pair in the place of what that rater said of it before.

        It is on the disk when this returns. Raises CompareError.
        """
        self._change(lambda it: _put(it, what, kept))

    def counts(self) -> list[Count]:
        """All that was rated, the last rated first."""
        return self._read(_counts, [])

    def all(self, what: Rated) -> list[Kept]:
        """What all raters said, in the order in which it was said."""
        return self._read(lambda it: _all(it, what), [])


def _find(it: Connection, name: str) -> Rated:
    if name == LAST:
        newest = it.execute(
            "SELECT 'evaluation', key, at FROM evaluations UNION ALL SELECT 'run', key, at FROM runs "
            "ORDER BY at DESC LIMIT 1"
        ).fetchone()
        if newest is None:
            raise CompareError(NOTHING_YET)
        return Rated(*newest[:2])
    found = [*_beginning(it, "evaluation", name), *_beginning(it, "run", name)] if name else []
    exact = [each for each in found if each.key == name]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        keys = ", ".join(each.key for each in found)
        raise CompareError(f"{name!r} could be any of {keys}.")
    return _of_suite(it, name)


def _beginning(it: Connection, kind: Literal["evaluation", "run"], name: str) -> list[Rated]:
    # Keys are hexadecimal: whatever else is given matches nothing.
    rows = it.execute(
        f"SELECT key FROM {kind}s WHERE key >= ? AND key < ? ORDER BY key LIMIT 5",
        (name, f"{name}\U0010ffff"),
    )
    return [Rated(kind, key) for (key,) in rows]


def _of_suite(it: Connection, name: str) -> Rated:
    for key, suite, path in it.execute("SELECT key, suite, path FROM evaluations ORDER BY id DESC"):
        file = Path(path)
        if name.casefold() == suite.casefold() or name in (file.stem, file.name, path):
            return Rated("evaluation", key)
    raise CompareError(
        f"There is no evaluation and no run {name!r} in the history: give the key of one, the name "
        f"of a suite that was run, or {LAST}."
    )


def _row(it: Connection, what: Rated) -> int:
    found = it.execute(f"SELECT id FROM {what.kind}s WHERE key = ?", (what.key,)).fetchone()
    if found is None:
        raise CompareError(f"The {what.kind} {what.key} is not in the history.")
    return found[0]


def _begin(it: Connection, what: Rated, name: str) -> int:
    row = _row(it, what)
    it.execute(
        f"INSERT OR IGNORE INTO raters ({what.kind}, name, seed, at) VALUES (?, ?, ?, ?)",
        (row, name, random.SystemRandom().randrange(2**31), now()),
    )
    query = f"SELECT seed FROM raters WHERE {what.kind} = ? AND name = ?"
    return it.execute(query, (row, name)).fetchone()[0]


def _put(it: Connection, what: Rated, kept: Kept) -> None:
    kept = replace(kept, rater=clean(kept.rater))
    _begin(it, what, kept.rater)
    it.execute(
        "INSERT OR REPLACE INTO ratings "
        "(rater, at, row, repeat, first, second, choice, note, edited) "
        f"SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM raters WHERE {what.kind} = ? AND name = ?",
        (
            now(), kept.row, kept.repeat, kept.first, kept.second, kept.answer, clean(kept.note),
            clean(kept.edited), _row(it, what), kept.rater,
        ),
    )  # fmt: skip


def _seeds(it: Connection, what: Rated) -> dict[str, int]:
    own = f"(SELECT id FROM {what.kind}s WHERE key = ?)"
    query = f"SELECT name, seed FROM raters WHERE {what.kind} = {own} ORDER BY id"
    return dict(it.execute(query, (what.key,)).fetchall())


def _all(it: Connection, what: Rated) -> list[Kept]:
    found = it.execute(
        "SELECT raters.name, row, repeat, first, second, choice, note, edited, ratings.at "
        "FROM ratings JOIN raters ON raters.id = rater "
        f"WHERE {what.kind} = (SELECT id FROM {what.kind}s WHERE key = ?) ORDER BY ratings.id",
        (what.key,),
    )
    return [Kept(*values, at=moment(at)) for *values, at in found]


def _counts(it: Connection) -> list[Count]:
    found = it.execute(
        "SELECT evaluations.key, runs.key, coalesce(suite, ''), "
        "sum(coalesce(choice, '') IN ('first', 'second')), sum(edited != ''), max(ratings.at) AS last "
        "FROM ratings JOIN raters ON raters.id = rater "
        "LEFT JOIN evaluations ON evaluations.id = evaluation LEFT JOIN runs ON runs.id = run "
        "GROUP BY evaluation, run ORDER BY last DESC"
    )
    return [
        Count(
            Rated("evaluation" if key else "run", key or run), name, preferred, edited, moment(at)
        )
        for key, run, name, preferred, edited, at in found
    ]
