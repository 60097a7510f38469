"""What checking data to train on finds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

SHOWN = 3
"""Cases that a finding names."""


class Kind(StrEnum):
    """What may be the matter with rows. Those of one kind are counted together."""

    LEAKED = "leaked"
    """Rows of a suite: it would ask what was learned by heart."""
    CONFLICT = "conflict"
    """The same was asked as in an earlier row and answered otherwise."""
    EMPTY = "empty"
    """There is no answer."""
    SAME_ANSWERS = "same answers"
    """What was chosen is what was rejected."""
    TOO_LONG = "too long"
    """More tokens than a row may have."""
    DUPLICATE = "duplicate"
    """An earlier row says exactly the same."""
    NEAR_DUPLICATE = "near duplicate"
    """An earlier row says the same but for case, blanks and punctuation."""
    RARE_CLASS = "rare class"
    """Of the few different answers, one that rows seldom have."""
    SPECIAL = "special"
    """A special token is written in a text, and stays text."""
    JOINED = "joined"
    """The text as a whole has other tokens than the engine is sent."""
    APART = "apart"
    """A conversation whose turns are rows of their own: its template changes turns gone by."""
    ENDLESS = "endless"
    """No token ends the answer: what is learned does not stop by itself."""


LEFT_OUT = frozenset({Kind.EMPTY, Kind.SAME_ANSWERS, Kind.TOO_LONG})
"""Rows that are not trained on."""


@dataclass(frozen=True)
class Case:
    """One row that a finding is about. `text` is what it asks, or the part in question.

    `other` is the row it is held against: of a suite's `file`, or of the same one where that is None.
    """

    line: int
    text: str
    other: int | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Finding:
    """So many rows of a kind, the first of them as cases.

    `grave`: training on them does harm, or what is measured after it is wrong. `subject` is the suite
    or the class it is about, `limit` the tokens that a row may have.
    """

    kind: Kind
    count: int
    cases: tuple[Case, ...]
    grave: bool = False
    subject: str = ""
    limit: int = 0


@dataclass(frozen=True)
class Report:
    """What was found in data, the gravest first.

    `examples` are all rows read and `usable` those that can be trained on, which give `rows`
    sequences of `tokens` in all, `learned` of them by the loss, `longest` in one. `classes` counts
    usable rows by answer where there are few different answers, the most frequent first.
    """

    source: Path
    preferences: bool
    examples: int
    usable: int
    rows: int
    tokens: int
    learned: int
    longest: int
    limit: int
    classes: Mapping[str, int]
    findings: tuple[Finding, ...]

    @cached_property
    def sound(self) -> bool:
        """Nothing grave was found."""
        return not any(finding.grave for finding in self.findings)
