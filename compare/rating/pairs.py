"""Which two answers a rater is shown, in what order and on which side: drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from random import Random

ENOUGH = 100
"""Pairs that a rater is asked for at once, at least, where there are so many."""

Unit = tuple[int, int]
"""A row and a repeat: what variants answered side by side."""


@dataclass(frozen=True)
class Pair:
    """Two variants' answers to a row, in one repeat; `first` is shown first."""

    row: int
    repeat: int
    first: str
    second: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    @property
    def key(self) -> tuple[int, int, frozenset[str]]:
        """The same whichever is shown first."""
        return (self.row, self.repeat, self.names)


@dataclass(frozen=True)
class Same:
    """A pair of equal answers, which nobody is shown; it comes after so many that are."""

    pair: Pair
    after: int


@dataclass(frozen=True)
class Order:
    """All pairs for one rater. `goals` are numbers of pairs after which every row has been seen as
    often as every other, and at least `ENOUGH` more were shown."""

    shown: Sequence[Pair]
    same: Sequence[Same]
    goals: Sequence[int]

    def goal(self, done: int) -> int:
        """How many are to be rated in all, once `done` are: the next of `goals`."""
        return next((it for it in self.goals if it >= done), len(self.shown))


def rounds(units: Sequence[Unit], variants: Sequence[str], key: str) -> list[list[Pair]]:
    """All pairs of variants in all units, the same for every rater of what has this key.

    In each round every unit comes once, and every two variants meet as often as any other two (or
    once more). A unit meets other variants in each round.
    """
    random = Random(f"{key} pairs")
    kinds = list(combinations(variants, 2))
    random.shuffle(kinds)
    mixed = sorted(units)
    random.shuffle(mixed)
    return [
        [Pair(*unit, *kinds[(place + turn) % len(kinds)]) for place, unit in enumerate(mixed)]
        for turn in range(len(kinds))
    ]


def order(
    given: Sequence[Sequence[Pair]], seed: int, equal: Callable[[Pair], bool | None]
) -> Order:
    """The pairs of these rounds as one rater is shown them.

    Blocks, in each of which any two variants meet once, are shuffled. No row comes twice in a row
    as long as there are others. Which of a pair is first is a fair toss of its own: whatever is kept
    in balance could be guessed from what came before. `equal` says whether a pair's answers are the
    same text, None where one is missing.
    """
    random = Random(f"{seed} order")
    shown: list[Pair] = []
    same: list[Same] = []
    ends: list[int] = []
    for each in given:
        fresh: list[Pair] = []
        for pair in _blocks(each, random):
            alike = equal(pair)
            if alike:
                same.append(Same(pair, len(shown) + len(fresh)))
            elif alike is not None:
                fresh.append(pair)
        shown += _apart(fresh, shown[-1].row if shown else None)
        ends.append(len(shown))
    return Order(_tossed(shown, Random(f"{seed} sides")), same, _goals(ends))


def _blocks(pairs: Sequence[Pair], random: Random) -> list[Pair]:
    """The pairs shuffled, with one of each two variants in every block as long as there are."""
    kinds = _grouped(pairs, lambda pair: pair.names)
    for each in kinds:
        random.shuffle(each)
    found: list[Pair] = []
    while any(kinds):
        block = [each.pop() for each in kinds if each]
        random.shuffle(block)
        found += block
    return found


def _grouped(pairs: Sequence[Pair], by: Callable[[Pair], Hashable]) -> list[list[Pair]]:
    groups: dict[Hashable, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(by(pair), []).append(pair)
    return list(groups.values())


def _apart(pairs: Sequence[Pair], before: int | None) -> list[Pair]:
    """As they are, but for those that would follow one of the same row: they come a little later,
    or are put in between earlier ones; at the end where no place is any better."""
    waiting, found = list(pairs), list[Pair]()
    last = before
    while waiting:
        at = next((i for i, pair in enumerate(waiting) if pair.row != last), None)
        if at is None:
            break
        found.append(waiting.pop(at))
        last = found[-1].row
    for pair in waiting:
        rows = [before, *(it.row for it in found), None]
        places = (i for i in range(len(found) + 1) if pair.row not in rows[i : i + 2])
        found.insert(next(places, len(found)), pair)
    return found


def _tossed(pairs: Sequence[Pair], random: Random) -> list[Pair]:
    """For each pair a toss says which of the two is first."""
    return [
        Pair(
            pair.row,
            pair.repeat,
            *random.choice([(pair.first, pair.second), (pair.second, pair.first)]),
        )
        for pair in pairs
    ]


def _goals(ends: Sequence[int]) -> list[int]:
    goals = list(
        accumulate(ends, lambda goal, end: end if end - goal >= ENOUGH else goal, initial=0)
    )
    last = ends[-1] if ends else 0
    return sorted({goal for goal in goals if goal} | {last})
