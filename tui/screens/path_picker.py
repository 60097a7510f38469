"""Type the path of a file to write to; the list shows what it could become."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from textual.widgets import Input

from .paths import complete
from .picker import Choice, Picker

Result = TypeVar("Result")


class PathPicker(Picker[Result]):
    """Subclasses say with which path it opens and what writing there means."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: Path | None = None
        """A file that is there already and may be written over."""

    def proposed(self) -> str:
        """The path that is in the field at first."""
        raise NotImplementedError

    def load(self) -> Sequence[Choice]:
        return []

    async def on_mount(self) -> None:
        self.write(self.proposed())

    def matching(self) -> list[Choice]:
        """The folders and files that what is typed could become."""
        found = complete(self.typed, self.SUFFIX)
        return [Choice(path, path) for path in found if path != self.typed]

    def action_complete(self) -> None:
        if (key := self.highlighted()) is not None:
            self.write(key)

    def write(self, path: str) -> None:
        """Put this into the field."""
        field = self.query_one(Input)
        field.value = path
        field.cursor_position = len(path)

    async def choose(self) -> None:
        """Write to what is typed."""
        await self.take(self.typed)
