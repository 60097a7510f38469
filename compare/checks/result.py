"""What a check is given and what it gives, and several checks as one weighted score."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

log = logging.getLogger(__name__)
MOST_QUOTED = 60


@dataclass(frozen=True)
class Answer:
    """What a model said to one row: its text, how many tokens that was if known, and what the row
    expects, if it says.

    `logprob` is the mean natural log-probability of a token of `expected`, if it was scored; `row`
    has the row's columns; `judged` how often of two a judge was for it, by the judge's rubric.
    """

    text: str
    expected: str | None = None
    tokens: int | None = None
    logprob: float | None = None
    row: Mapping[str, str] = field(default_factory=dict[str, str])
    judged: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Result:
    """`score` is from 0 to 1, or None if the answer could not be checked, with the reason why.

    Reasons quote what models and datasets say: whoever shows one makes it safe for its place.
    """

    score: float | None
    reason: str

    @property
    def passed(self) -> bool:
        """Whether nothing is missing."""
        return self.score == 1


class Check(Protocol):
    """Pure: the same answer has the same result."""

    def __call__(self, answer: Answer, /) -> Result: ...


@dataclass(frozen=True)
class Weighted:
    """A check and how much it counts beside others; 0 shows its result and counts nothing."""

    check: Check
    weight: float = 1.0


@dataclass(frozen=True)
class Scored:
    """The weighted mean of the results, None if one that counts could not be checked: a mean of
    the others would compare unlike things."""

    score: float | None
    results: tuple[Result, ...]


def apply(checks: Sequence[Weighted], answer: Answer) -> Scored:
    """All checks of one answer. A check that raises gives a Result without a score, and is logged.

    Raises ValueError if no weight is above 0 or one is below.
    """
    total = sum(weighted.weight for weighted in checks)
    if not total > 0 or any(weighted.weight < 0 for weighted in checks):
        raise ValueError("weights are 0 or more, and not all of them 0")
    results = tuple(_guarded(weighted.check, answer) for weighted in checks)
    score = 0.0
    for weighted, result in zip(checks, results, strict=True):
        if weighted.weight and result.score is None:
            return Scored(None, results)
        score += weighted.weight * (result.score or 0.0)
    return Scored(min(1.0, score / total), results)


def _guarded(check: Check, answer: Answer) -> Result:
    try:
        return check(answer)
    except Exception as error:
        log.exception("the check %r failed", check)
        return Result(None, f"could not be checked: {error}"[:500])


def passed(yes: bool, good: str, bad: str) -> Result:
    """1 with one reason, or 0 with the other."""
    return Result(1.0, good) if yes else Result(0.0, bad)


def quoted(text: str) -> str:
    """In quotation marks, cut where it is long."""
    return f"“{text[:MOST_QUOTED]}…”" if len(text) > MOST_QUOTED else f"“{text}”"


NOTHING_EXPECTED = Result(None, "could not be checked: neither the check nor the row says what is expected")  # fmt: skip
