"""How many rows would decide a comparison: a power estimate from the differences seen so far."""

from __future__ import annotations

import math

import numpy as np

from .anytime import log_money
from .figures import z_value
from .rows import Numbers

POWER = 0.8
"""The chance that so many rows decide it, if the rows to come are like those seen."""
MOST = 1_000_000
"""More rows than this are not a number worth saying."""
_Z = z_value(1 - POWER)
_Z_BOTH = z_value((1 - POWER) / 2)


class Seen:
    """The differences seen, with half a row more on either side.

    Without them a few rows that all tied, or all fell one way, would promise that the rest will.
    """

    def __init__(self, differences: Numbers) -> None:
        largest = float(np.abs(differences).max(initial=0.0)) or 1.0
        values = np.append(differences, [largest, -largest])
        self.weights = np.append(np.ones(len(differences)), [0.5, 0.5]) / (len(differences) + 1)
        self.values = values
        self.mean = float(values @ self.weights)
        self.square = float(values**2 @ self.weights)
        self.sd = math.sqrt(max(0.0, self.square - self.mean**2))


def rows_once(differences: Numbers, alpha: float, margin: float) -> int | None:
    """Rows in all for a single look: for a winner or for a difference within ±margin, whichever
    needs fewer; None if none was seen or it would be more than MOST.

    Winner: Connor (1987), Biometrics 43, 207-211, with the mean square for the share of rows that
    differ. Within the margin: Schuirmann's two one-sided tests and the rule of three.
    """
    if not len(differences):
        return None
    seen, z = Seen(differences), z_value(alpha / 2)
    needs = []
    if seen.mean:
        needs.append(((z * math.sqrt(seen.square) + _Z * seen.sd) / seen.mean) ** 2)
    room = margin - abs(seen.mean)
    if room > 0:
        needs.append(
            max(((z + _Z_BOTH) * seen.sd / room) ** 2, math.log(alpha / 2) / math.log1p(-margin))
        )
    rows = math.ceil(min(needs, default=math.inf)) if needs else MOST + 1
    return rows if rows <= MOST else None


def rows_anytime(differences: Numbers, alpha: float, margin: float) -> int | None:
    """The same for the comparison that is valid at every look: searched for, by scaling the
    differences seen up to so many rows and letting chance be against it."""
    if not len(differences):
        return None
    seen, needed = Seen(differences), math.log(2 / alpha)
    if not _decides(seen, MOST, needed, margin):
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        if _decides(seen, middle, needed, margin):
            high = middle
        else:
            low = middle
    return high


def _decides(seen: Seen, rows: int, needed: float, margin: float) -> bool:
    error = seen.sd / math.sqrt(rows)
    return _winner(seen, rows, needed, _Z * error) or _equal(
        seen, rows, needed, margin - _Z_BOTH * error
    )


def _winner(seen: Seen, rows: int, needed: float, luck: float) -> bool:
    if abs(seen.mean) <= luck:
        return False
    values = seen.values if seen.mean > 0 else -seen.values
    return bool(log_money(values, seen.weights * rows, luck) >= needed)


def _equal(seen: Seen, rows: int, needed: float, margin: float) -> bool:
    if abs(seen.mean) >= margin:
        return False
    return all(
        log_money(values, seen.weights * rows, -margin) >= needed
        for values in (seen.values, -seen.values)
    )
