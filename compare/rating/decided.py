"""What people said of an evaluation's answers, for its decision table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..history.ratings import Rated
from ..statistics.ranking import Rating

if TYPE_CHECKING:
    from ..evaluation.answers import Checked
    from ..evaluation.plan import Plan
    from ..history.history import History


def ratings_of(
    history: History, key: str, plan: Plan, answers: Sequence[Checked]
) -> Callable[[], list[Rating]]:
    """What gives the choices of all raters, by variants' names; it reads the history."""

    def read() -> list[Rating]:
        from .results import choices
        from .source import evaluation_source

        what = Rated("evaluation", key)
        kept = history.ratings.all(what)
        if not kept:
            return []
        seeds = history.ratings.seeds(what)
        return choices(evaluation_source(what, plan, answers), kept, seeds)

    return read
