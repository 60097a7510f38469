"""Rows for choosing a setting, and other rows for confirming it.

The best of nine settings looks better than it is, because it was chosen for its luck too. The rule:
choose once, on choosing rows that were settled beforehand; compare that setting with the baseline on
the confirming rows alone, looking as often as wanted.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .figures import Table
from .rows import row_means


@dataclass(frozen=True)
class Split:
    """Indices of rows, ascending."""

    choosing: tuple[int, ...]
    confirming: tuple[int, ...]


def chooses(key: str, seed: int = 0, share: float = 0.5) -> bool:
    """Whether the rows with this key are for choosing: about `share` of all keys, by a hash."""
    digest = hashlib.sha256(f"{seed}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def split(keys: Iterable[str], seed: int = 0, share: float = 0.5) -> Split:
    """About `share` of the rows for choosing, by a hash of each row's key and the seed.

    A row stays on its side when others are added, moved or removed, and equal rows are on the same
    side, so that none is chosen by and confirmed on.
    """
    sides: tuple[list[int], list[int]] = ([], [])
    for index, key in enumerate(keys):
        sides[not chooses(key, seed, share)].append(index)
    return Split(tuple(sides[0]), tuple(sides[1]))


def take(table: Table, rows: Sequence[int]) -> Table:
    """These rows of a table."""
    return [table[row] for row in rows]


def best(settings: Sequence[Table]) -> int:
    """The setting with the highest mean score; the first of equals. Give choosing rows only.

    A setting without scores is never the best. Raises ValueError if none has any.
    """
    means = [row_means(table) for table in settings]
    totals = [
        float(np.nanmean(each)) if len(each) and not np.isnan(each).all() else -math.inf
        for each in means
    ]
    if not totals or max(totals) == -math.inf:
        raise ValueError("no setting has a score")
    return totals.index(max(totals))
