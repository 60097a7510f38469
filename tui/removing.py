"""Runs removed from the history, with what else on the disk holds their texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..models.engine.forget import forget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..compare.history.history import History


def question(following: int) -> str:
    """What is asked before a run is removed from which so many others go on."""
    overwritten = "overwritten on the disk; nothing brings them back."
    if not following:
        return f"Its texts are {overwritten}"
    those = (
        f"{following} runs go on from it and go"
        if following > 1
        else "1 run goes on from it and goes"
    )
    return f"{those} with it: replies and branches repeat what it said. The texts are {overwritten}"


def remove(history: History, prompts: Path, ids: Sequence[str]) -> int:
    """Remove runs, what goes on from them, and all that long prompts left in the models' caches,
    which are in the folder `prompts`; how many runs. Raises CompareError."""
    removed = history.remove(ids) if ids else 0
    forget(prompts)
    return removed


def retire(history: History, prompts: Path, days: float) -> None:
    """Remove runs older than so many days, and caches unused for as long. Raises CompareError."""
    time = datetime.now(UTC) - timedelta(days=days)
    if history.file.exists():
        history.retire(time)
    forget(prompts, time.timestamp())
