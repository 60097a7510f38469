"""What people's ratings say: a ranking, how far raters and checks agree, and whether sides matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ..history.ratings import Kept
from ..statistics.agreement import Agreement, agreement, with_people
from ..statistics.figures import Interval
from ..statistics.means import wilson
from ..statistics.ranking import Choice, Ranked, rank
from ..statistics.ranking import Rating as Ranking
from .pairs import Order, Pair
from .source import Source

Unit = tuple[int, int, frozenset[str]]


@dataclass(frozen=True)
class Rater:
    """How many pairs one person rated, skipped ones included, of how many; and how many of `same`
    text that person would have come by."""

    name: str
    rated: int
    skipped: int
    of: int
    same: int


@dataclass(frozen=True)
class Check:
    """How far a check and people agree, over `agreement.units` pairs of so many rows.

    Of the pairs of which both prefer one answer, they prefer the same one in `sided` of `decided`;
    `interval` is that of the share.
    """

    name: str
    agreement: Agreement
    rows: int
    sided: int
    decided: int
    interval: Interval


@dataclass(frozen=True)
class Results:
    """All that ratings say. `same` pairs of equal answers count as ties that nobody had to give.

    `firsts` is how often the answer shown first was preferred, of `decided` ratings.
    """

    ranking: Sequence[Ranked]
    raters: Sequence[Rater]
    counts: Counter[str]
    """By answer; `skip` too."""
    same: int
    firsts: int
    decided: int
    first_interval: Interval
    between: Agreement
    """Raters with each other."""
    checks: Sequence[Check]
    notes: Sequence[Kept]
    edits: int

    @property
    def rated(self) -> int:
        return sum(self.counts.values())


def results(
    source: Source, kept: Sequence[Kept], seeds: Mapping[str, int], rater: str | None = None
) -> Results:
    """Of one rater, or of all. `seeds` are those of raters, by their names.

    Bradley and Terry's ranking leaves out what the place was worth to each rater. It takes ratings
    for independent: several of one row, or of one pair by several people, make its intervals too
    narrow.
    """
    mine = [it for it in kept if rater in (None, it.rater) and source.has(it)]
    said = [it for it in mine if it.answer is not None]
    counted, raters = _counted(source, said, seeds)
    counts = Counter(str(it.answer) for it in said)
    firsts, decided = counts["first"], counts["first"] + counts["second"]
    people = _people(said)
    names = ("score", *source.checks) if len(source.checks) > 1 else source.checks
    return Results(
        rank(counted),
        raters,
        counts,
        sum(it.same for it in raters),
        firsts,
        decided,
        wilson(firsts, decided),
        agreement(list(people.values())),
        [_check(source, name, people) for name in names],
        [it for it in mine if it.note],
        sum(bool(it.edited) for it in mine),
    )


def choices(source: Source, kept: Sequence[Kept], seeds: Mapping[str, int]) -> list[Ranking]:
    """What all raters chose, by variants' names, as `results` ranks it."""
    said = [it for it in kept if it.answer is not None and source.has(it)]
    return _counted(source, said, seeds)[0]


def _counted(
    source: Source, said: Sequence[Kept], seeds: Mapping[str, int]
) -> tuple[list[Ranking], list[Rater]]:
    """What ranks the variants, the ties of equal answers too, and by whom it was said."""
    counted = [_ranking(it) for it in said if it.answer != "skip"]
    raters: list[Rater] = []
    for name, seed in seeds.items():
        own = [it for it in said if it.rater == name]
        if own:
            order = source.order(seed)
            ties = _same(order, len(own))
            counted += [Ranking(pair.first, pair.second, "tie") for pair in ties]
            skipped = sum(it.answer == "skip" for it in own)
            raters.append(Rater(name, len(own), skipped, len(order.shown), len(ties)))
    return counted, raters


def _ranking(kept: Kept) -> Ranking:
    choice: Choice = kept.answer if kept.answer not in (None, "skip") else "tie"
    return Ranking(kept.first, kept.second, choice, kept.rater)


def _same(order: Order, rated: int) -> list[Pair]:
    """The pairs of equal answers among as many pairs as were rated: not those that are to come,
    which would make variants look more alike than what was rated does."""
    over = rated >= len(order.shown)
    return [it.pair for it in order.same if it.after < rated or over]


def _turned(unit: Unit) -> tuple[str, str]:
    """The two of a pair in an order drawn by the pair, the same for all raters and checks.

    Agreement is held against chance, and that would be no chance if the better variant stood on
    one side always.
    """
    row, repeat, names = unit
    one, other = sorted(names)
    return (other, one) if Random(f"{row} {repeat} {one} {other}").random() < 0.5 else (one, other)


def _people(said: Sequence[Kept]) -> dict[Unit, list[str]]:
    """For each pair what each rater said, by the order of `_turned`."""
    found: dict[Unit, list[str]] = {}
    for it in said:
        choice = it.answer
        if choice is None or choice == "skip":
            continue
        if choice in ("first", "second"):
            preferred = it.first if choice == "first" else it.second
            choice = "first" if preferred == _turned(it.pair)[0] else "second"
        found.setdefault(it.pair, []).append(choice)
    return found


def _check(source: Source, name: str, people: Mapping[Unit, Sequence[str]]) -> Check:
    """One check against people; of several raters of a pair the majority counts, if there is one."""
    differences: list[float] = []
    choices: list[str] = []
    rows: set[int] = set()
    for unit, heard in people.items():
        row, repeat, _ = unit
        scores = [source.answers[row, repeat, it].scores.get(name) for it in _turned(unit)]
        if scores[0] is None or scores[1] is None:
            continue
        rows.add(row)
        differences.append(round(scores[0] - scores[1], 12))
        choices.append(_majority(heard))
    both = [(d > 0) == (c == "first") for d, c in zip(differences, choices, strict=True) if d and c]
    return Check(
        name, with_people(differences, choices), len(rows), sum(both), len(both),
        wilson(sum(both), len(both)),
    )  # fmt: skip


def _majority(heard: Sequence[str]) -> str:
    difference = heard.count("first") - heard.count("second")
    return "first" if difference > 0 else "second" if difference < 0 else ""
