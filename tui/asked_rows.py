"""The rows of an evaluation as a list shows them: each with its variants' marks, in an order."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.evaluation.answers import Checked
    from ..compare.evaluation.plan import Plan

ORDERS = ("disagreement", "failing", "tag", "line")
TAG = "tag:"
LONGEST = 400
"""Characters of a question that a line may show."""
FAILED, PASSED, ERROR, NONE, WAITING = "✗", "✓", "!", "–", "·"
MARKS = {
    PASSED: "passed",
    FAILED: "nothing right",
    "40": "points of 100",
    ERROR: "an error",
    NONE: "not scored",
    WAITING: "not there yet",
}


@dataclass(frozen=True)
class AskedRow:
    """A row: its place and line, its tags, what it asks (of a chat, last) on one line, and a mark for
    each variant.

    `scores` are means over repeats, None without one; `spread` is that between the variants.
    `words` is all that can be searched.
    """

    place: int
    line: int
    tags: tuple[str, ...]
    asks: str
    marks: Mapping[str, str]
    scores: Mapping[str, float | None]
    spread: float
    error: bool
    words: str


def asked_rows(plan: Plan, answers: Iterable[Checked]) -> list[AskedRow]:
    """All rows, in the order of the plan; some milliseconds for hundreds of them."""
    by_row: dict[int, dict[str, list[Checked]]] = {}
    for answer in answers:
        by_row.setdefault(answer.row, {}).setdefault(answer.variant, []).append(answer)
    names = [variant.name for variant in plan.variants]
    found: list[AskedRow] = []
    for place, row in enumerate(plan.rows):
        own = by_row.get(place, {})
        scores = {name: _mean(own.get(name, ())) for name in names}
        known = [score for score in scores.values() if score is not None]
        asked = [it for it in row.values.values() if it and it not in row.tags]
        asked = [row.turns[-1][1]] if row.turns else asked
        asks = " · ".join(" ".join(it[:LONGEST].split()) for it in asked)
        said = [it.text for each in own.values() for it in each]
        turns = [text for turn in row.turns for text in turn]
        words = [*row.values.values(), *turns, row.expected or "", *row.tags, *said]
        found.append(
            AskedRow(
                place,
                row.line,
                row.tags,
                asks[:LONGEST],
                {name: mark(own.get(name, ())) for name in names},
                scores,
                max(known) - min(known) if known else 0.0,
                any(it.error is not None or it.score is None for e in own.values() for it in e),
                "\n".join(words).casefold(),
            )
        )
    return found


def mark(answers: Sequence[Checked]) -> str:
    """A variant's mark for a row: the share of its repeats' points, in few characters."""
    if not answers:
        return WAITING
    score = _mean(answers)
    if score is None:
        return ERROR if any(it.error is not None for it in answers) else NONE
    if score in (0.0, 1.0):
        return PASSED if score else FAILED
    return f"{min(99, max(1, round(100 * score)))}"


def arranged(
    rows: Sequence[AskedRow], order: str, words: Sequence[str] = (), *, errors: bool = False
) -> list[AskedRow]:
    """The rows with all these words, only those with `errors` if asked, in one of ORDERS. `tag:new`
    asks for a tag that begins so."""
    wanted = [word.casefold() for word in words]
    tags = [word.removeprefix(TAG) for word in wanted if word.startswith(TAG)]
    wanted = [word for word in wanted if not word.startswith(TAG)]
    found = [
        row
        for row in rows
        if (row.error or not errors)
        and all(word in row.words for word in wanted)
        and all(any(it.casefold().startswith(tag) for it in row.tags) for tag in tags)
    ]
    if order == "disagreement":
        found.sort(key=lambda row: (-row.spread, _total(row), row.line))
    elif order == "failing":
        found.sort(key=lambda row: (_total(row), -row.spread, row.line))
    elif order == "tag":
        found.sort(key=lambda row: (row.tags, -row.spread, row.line))
    else:
        found.sort(key=lambda row: row.line)
    return found


def _total(row: AskedRow) -> float:
    """The mean score of a row, of what is known; rows of which nothing is known come last."""
    known = [score for score in row.scores.values() if score is not None]
    return statistics.fmean(known) if known else 2.0


def _mean(answers: Sequence[Checked]) -> float | None:
    known = [it.score for it in answers if it.score is not None]
    return statistics.fmean(known) if known else None
