"""Which rows were planned for a comparison before the first of them was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..statistics.figures import Planned

Names = tuple[str, str]
"""Of two variants that are compared, in the order of the alphabet."""


def names_of(one: str, other: str) -> Names:
    return (one, other) if one < other else (other, one)


@dataclass(frozen=True)
class Settled:
    """`count` rows were planned; `keys` are those of them that are known, the others are still to
    be added to the dataset. `gone` are those that no longer are in it. `number` is what the history
    knows this by, larger for what was planned later, None if it was not planned before.

    In a plan the keys are those of its rows; in the history they are those of `question_keys`, by
    which those of `gone` are always said.
    """

    keys: frozenset[str]
    count: int
    gone: frozenset[str] = frozenset()
    number: int | None = field(default=None, compare=False)

    @property
    def fits(self) -> bool:
        """Whether at least half of its rows are in the dataset; else that is another one."""
        return len(self.keys) > 0 and 2 * len(self.gone) <= len(self.keys)

    def same(self, other: Settled) -> bool:
        """Whether the other one has these rows, and was planned with them."""
        return self == other and self.number == other.number

    @property
    def to_run(self) -> int:
        """How many of them there can be."""
        return self.count - len(self.gone)

    @property
    def said_of_gone(self) -> str:
        """A sentence on those that are gone; empty if none is."""
        if not self.gone:
            return ""
        count = len(self.gone)
        one = count == 1
        are, them, weigh = ("is", "it", "it weighs") if one else ("are", "them", "they weigh")
        return (
            f"{count:,} of the {self.count:,} rows planned {are} no longer in the dataset as planned: "
            f"whichever variant is ahead counts as having lost {them}. Put {them} back word for word, "
            f"or add rows, beside which {weigh} less."
        )

    def among(self, keys: Sequence[str]) -> Planned:
        """Where they are among the rows with these keys, all of which are scored."""
        rows = [place for place, key in enumerate(keys) if key in self.keys]
        return Planned(rows, self.to_run - len(rows), len(self.gone))
