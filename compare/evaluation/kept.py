"""An evaluation as the history has it: what it was to do, and what came of it so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answers import Checked
from .decision.build import Ratings, decision_of
from .decision.document import decision_document
from .document import evaluation_document
from .measured import Measured
from .plan import Plan
from .scoreboard import Scoreboard, scoreboard


@dataclass(frozen=True)
class Kept:
    """One evaluation; without a key it is not in the history. `ended` is None while answers, or
    what is measured beside them, are missing."""

    key: str | None
    at: datetime
    ended: datetime | None
    program: str
    plan: Plan
    answers: Sequence[Checked]
    measured: Measured

    def board(self) -> Scoreboard:
        """What came out; takes as long as `scoreboard`."""
        return scoreboard(self.plan, self.answers, self.measured.paces)

    def decision(self, ratings: Ratings | None = None) -> dict[str, Any] | None:
        """The decision as a document; None where there is nothing to decide between. Takes as long as
        `board`."""
        measured = self.measured
        decision = decision_of(
            self.plan,
            self.answers,
            measured.paces,
            measured.elsewhere,
            problems=measured.problems,
            adapters=measured.adapters or None,
            ratings=ratings,
        )
        return None if decision is None else decision_document(decision)

    def document(self, board: Scoreboard, decision: Mapping[str, Any] | None) -> dict[str, Any]:
        """It as JSON, with its scoreboard and its decision."""
        return evaluation_document(
            self.plan,
            board,
            self.answers,
            key=self.key,
            at=self.at,
            program=self.program,
            decision=decision,
            hashes=self.measured.hashes,
        )
