"""What an evaluation decides, with what people said of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..evaluation.kept import Kept
from ..history.ratings import Rated
from ..statistics.ranking import Rating
from .results import choices
from .source import evaluation_source

if TYPE_CHECKING:
    from ..history.history import History


def decided(history: History | None, it: Kept) -> dict[str, Any] | None:
    """The decision of an evaluation as a document; None where there is nothing to decide between.

    It takes as long as a scoreboard, and reads the history. Raises CompareError.
    """
    if history is None or it.key is None:
        return it.decision()
    return it.decision(partial(_ratings, history, Rated("evaluation", it.key), it))


def _ratings(history: History, what: Rated, it: Kept) -> Sequence[Rating]:
    kept = history.ratings.all(what)
    if not kept:
        return ()
    source = evaluation_source(what, it.plan, it.answers)
    return choices(source, kept, history.ratings.seeds(what))
