"""The rows that were planned for comparisons: kept apart from evaluations, whose removal leaves them.

Only hashes are kept, of rows and of what is compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from .packing import now

if TYPE_CHECKING:
    from sqlite3 import Connection

    from ..evaluation.settled import Settled


def settled(
    it: Connection, comparisons: Iterable[str], keys: Collection[str]
) -> dict[str, Settled]:
    """What was planned first of each comparison that was made before on such rows.

    These are the rows of the dataset. A plan of which less than half is among them was another
    dataset's.
    """
    from ..evaluation.settled import Settled

    found: dict[str, Settled] = {}
    known: dict[int, Settled | None] = {}
    there = frozenset(keys)
    for comparison in comparisons:
        rows = it.execute(
            "SELECT id, count FROM planned WHERE id IN "
            "(SELECT planned FROM planned_comparisons WHERE comparison = ?) ORDER BY id",
            (comparison,),
        ).fetchall()
        for number, count in rows:
            if number not in known:
                own = frozenset(_rows(it, number))
                gone = own - there
                fits = len(own) > 0 and 2 * len(gone) <= len(own)
                known[number] = Settled(own, count, gone, number) if fits else None
            if (plan := known[number]) is not None:
                found[comparison] = plan
                break
    return found


def settle(it: Connection, planned: Mapping[str, Settled]) -> None:
    """Keep what is planned, by comparison."""
    new: dict[Settled, int] = {}
    for comparison, plan in planned.items():
        number = plan.number or new.get(plan)
        if number is None:
            number = it.execute(
                "INSERT INTO planned (at, count) VALUES (?, ?) RETURNING id", (now(), plan.count)
            ).fetchone()[0]
            new[plan] = number
        it.execute("INSERT OR IGNORE INTO planned_comparisons VALUES (?, ?)", (comparison, number))
    for plan in dict.fromkeys(planned.values()):
        number = plan.number or new[plan]
        it.executemany(
            "INSERT OR IGNORE INTO planned_rows VALUES (?, ?)", [(number, key) for key in plan.keys]
        )


def _rows(it: Connection, number: int) -> list[str]:
    return [key for (key,) in it.execute("SELECT key FROM planned_rows WHERE planned = ?", (number,))]  # fmt: skip
