"""Choose rows to train on: those that ship, ratings, files used before, or any file by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...compare.errors import MISTAKES
from ...compare.training_data.shipped import find_rows, shipped_rows
from ...prompts.datasets import SUFFIXES
from ..paths import expanded
from ..rated_rows import RatedRows, export_rated, rated_rows
from ..sentences import for_app
from .picker import Choice, Picker

if TYPE_CHECKING:
    from ...compare.history.history import History


@dataclass(frozen=True)
class Chosen:
    """A file of rows, and what it is called."""

    path: Path
    name: str


class PickData(Picker[Chosen]):
    """Gives the file; ratings are exported to `folder` first. It opens on the one that is `chosen`."""

    TITLE_TEXT = "Rows to learn from"
    PLACEHOLDER = "name, or the path of a .jsonl or .csv file"
    SUFFIX = SUFFIXES

    def __init__(
        self, history: History | None, recent: Sequence[Path], folder: Path, chosen: Path | None
    ) -> None:
        super().__init__()
        if chosen is not None:
            self.at_first = chosen.stem if chosen.parent == folder else str(chosen)
        self._history, self._recent, self._folder = history, recent, folder
        self._rated: dict[str, RatedRows] = {}

    def load(self) -> Sequence[Choice]:
        rated = rated_rows(self._history) if self._history is not None else []
        self._rated = {it.key: it for it in rated}
        ships = shipped_rows()
        return [
            *(Choice(str(it), it.stem, "ships with llamadiff") for it in ships),
            *(Choice(str(it), it.name, f"used before · {it.parent}") for it in self._own(ships)),
            *(Choice(it.key, it.name, it.about) for it in rated),
        ]

    def _own(self, ships: Sequence[Path]) -> list[Path]:
        """Files used before that are in the list under no other name. Reads the disk."""
        known, folder = {it.resolve() for it in ships}, self._folder.resolve()
        recent = [(it, it.resolve()) for it in self._recent if it.is_file()]
        return [it for it, whole in recent if whole not in known and whole.parent != folder]

    async def take(self, key: str) -> None:
        try:
            self.dismiss(await asyncio.to_thread(self._chosen, key))
        except (*MISTAKES, OSError) as mistake:
            self.problem(for_app(str(mistake)))

    def _chosen(self, key: str) -> Chosen:
        """Reads and writes files; raises what a person is told."""
        rated = self._rated.get(key)
        if rated is not None and self._history is not None:
            file = export_rated(self._history, rated, self._folder)
            return Chosen(file, rated.name.replace(" ", "-"))
        path = find_rows(str(expanded(key))).resolve()
        ships = path in [it.resolve() for it in shipped_rows()]
        return Chosen(path, path.stem if ships else path.name)
