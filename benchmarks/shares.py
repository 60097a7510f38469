"""How often something was seen in simulations, as tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamadiff.compare.statistics.rows import Numbers
from llamadiff.compare.statistics.verdict import ALPHA

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """How often something was seen."""

    seen: int
    of: int

    @property
    def value(self) -> float:
        return self.seen / self.of

    def above(self, rate: float) -> bool:
        """Whether it is more than `rate` by three standard errors of the simulation or more."""
        return self.value > rate + 3 * math.sqrt(rate * (1 - rate) / self.of)

    def __str__(self) -> str:
        return f"{100 * self.value:.1f}"


def share(flags: Flags) -> Share:
    return Share(int(flags.sum()), len(flags))


def ever(p_values: Numbers, alpha: float = ALPHA) -> Flags:
    """Whether a winner was called at any look."""
    return (p_values <= alpha).any(axis=1)


def table(
    title: str, cells: dict[tuple[int, float], dict[str, Share]], bad: Callable[[Share], bool]
) -> None:
    """Methods down, cells across; what `bad` says is marked."""
    print(f"\n{title}\n")
    print("| | " + " | ".join(f"{rows}, {rate:g}" for rows, rate in cells) + " |")
    print("|---|" + "---|" * len(cells))
    for name in next(iter(cells.values())):
        shares = [cell[name] for cell in cells.values()]
        print(f"| {name} | " + " | ".join(f"{s}{' !' if bad(s) else ''}" for s in shares) + " |")
