"""Evaluations in a list: how far each came, what it decided, and what it has otherwise than others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .adopt import nobodys
from .packing import moment

if TYPE_CHECKING:
    from sqlite3 import Connection


@dataclass(frozen=True)
class Entry:
    """An evaluation in a list. `planned` rows were settled before its first was run.

    `ended` is None for one that goes on or did not come to its end. Each row has `each` answers, as
    far as that can be told from those there are.
    """

    key: str
    at: datetime
    ended: datetime | None
    suite: str
    path: str
    rows: int
    planned: int
    variants: tuple[str, ...]
    """What they are called."""
    models: tuple[str, ...]
    answers: int
    """How many are there."""
    of: int
    """How many there will be."""
    running: bool
    """Whether a program runs it now, this one or another."""
    verdict: str
    """What it decided in the end, in a word or two; empty where that is not known."""
    changes: tuple[str, ...]
    """What it has otherwise than the one of the same suite before it; empty where there is none."""

    @property
    def done(self) -> int:
        """Rows of which all answers are there."""
        return self.answers * self.rows // self.of


SAME = "the same again"
_LISTED = (
    "SELECT id, key, at, ended, suite, path, rows, planned, fingerprint, "
    "(SELECT count(*) FROM answers WHERE evaluation = evaluations.id), "
    "CASE WHEN ended IS NOT NULL AND json_valid(measured) THEN json_extract(measured, '$.verdict') END, "
    "owner, beat, "
    "(SELECT max(id) FROM evaluations AS other WHERE other.path = evaluations.path AND other.id < evaluations.id) "
    "FROM evaluations ORDER BY id DESC LIMIT ?"
)


def entries(it: Connection, limit: int) -> list[Entry]:
    """The newest evaluations."""
    found = it.execute(_LISTED, (limit,)).fetchall()
    made = _definitions(it, {number for row in found for number in (row[0], row[-1])})
    return [_entry(made, *row) for row in found]


@dataclass(frozen=True)
class _Made:
    """What an evaluation follows from, without its rows; and the names of its files."""

    fingerprint: str
    rows: int
    definition: dict[str, Any]
    names: dict[str, str]


def _definitions(it: Connection, numbers: Iterable[int | None]) -> dict[int, _Made]:
    found: dict[int, _Made] = {}
    for number in filter(None, numbers):
        fingerprint, rows, definition, names = it.execute(
            "SELECT fingerprint, rows, json_remove(definition, '$.rows'), json_extract(about, '$.names') "
            "FROM evaluations WHERE id = ?",
            (number,),
        ).fetchone()
        found[number] = _Made(fingerprint, rows, json.loads(definition), json.loads(names))
    return found


def _entry(
    made: dict[int, _Made], number: int, key: str, at: int, ended: int | None, suite: str, path: str,
    rows: int, planned: int, fingerprint: str, answers: int, verdict: str | None, owner: str, beat: int,
    before: int | None,
) -> Entry:  # fmt: skip
    own = made[number]
    variants = own.definition["variants"]
    return Entry(
        key,
        moment(at),
        None if ended is None else moment(ended),
        suite,
        path,
        rows,
        planned,
        tuple(it["label"] or it["name"] for it in variants),
        tuple(
            dict.fromkeys(
                own.names.get(it["model"][0], Path(it["model"][0]).stem) for it in variants
            )
        ),
        answers,
        rows * len(variants) * own.definition["repeats"],
        not nobodys(owner, moment(beat)),
        verdict or "",
        () if before is None else _changes(own, made[before]),
    )


def _changes(now: _Made, before: _Made) -> tuple[str, ...]:
    from ..evaluation.changes import changes

    found = changes(now.definition, before.definition, now.names)
    if now.rows != before.rows:
        return (f"{before.rows:,} rows before", *found)
    if found:
        return found
    return (SAME if now.fingerprint == before.fingerprint else "other rows",)
