"""The rows that were planned for comparisons: kept apart from evaluations, whose removal leaves them.

Only hashes are kept, of rows and of what is compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from .packing import now

if TYPE_CHECKING:
    from sqlite3 import Connection

    from ..evaluation.settled import Settled


def settled(it: Connection, comparisons: Mapping[str, Collection[str]]) -> dict[str, Settled]:
    """What was planned first of each comparison, of what fits the rows of the dataset, whose keys
    these are; the last that does not, where none does."""
    from ..evaluation.settled import Settled

    found: dict[str, Settled] = {}
    for comparison, keys in comparisons.items():
        there = frozenset(keys)
        rows = it.execute(
            "SELECT id, count FROM planned WHERE id IN "
            "(SELECT planned FROM planned_comparisons WHERE comparison = ?) ORDER BY id",
            (comparison,),
        ).fetchall()
        for number, count in rows:
            own = frozenset(_rows(it, number))
            found[comparison] = Settled(own, count, own - there, number)
            if found[comparison].fits:
                break
    return found


def settle(it: Connection, planned: Mapping[str, Settled]) -> None:
    """Keep what is planned, by comparison. One to which rows are still to be added is each comparison's
    own: they may be asked other columns of these."""
    new: dict[Settled, int] = {}
    for comparison, plan in planned.items():
        number = plan.number or new.get(plan)
        if number is None:
            number = it.execute(
                "INSERT INTO planned (at, count) VALUES (?, ?) RETURNING id", (now(), plan.count)
            ).fetchone()[0]
            if len(plan.keys) >= plan.count:
                new[plan] = number
        it.execute("INSERT OR IGNORE INTO planned_comparisons VALUES (?, ?)", (comparison, number))
        it.executemany(
            "INSERT OR IGNORE INTO planned_rows VALUES (?, ?)", [(number, key) for key in plan.keys]
        )


def _rows(it: Connection, number: int) -> list[str]:
    return [key for (key,) in it.execute("SELECT key FROM planned_rows WHERE planned = ?", (number,))]  # fmt: skip
