"""Choose any suite's file by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ...compare.errors import MISTAKES
from ...compare.evaluation.reading import load_suite
from ..paths import expanded
from ..sentences import for_app
from .picker import Choice, Picker


class PickSuite(Picker[Path]):
    """Gives the path of a suite, which may have mistakes."""

    TITLE_TEXT = "A suite in another file"
    PLACEHOLDER = "the path of a .toml file"
    SUFFIX = ".toml"
    KEYS_TEXT = (
        "type a path ({picker.complete} completes) · {picker.up}{picker.down} · enter take"
        " · {dialog.cancel} cancel"
    )

    def load(self) -> Sequence[Choice]:
        return []

    async def take(self, key: str) -> None:
        path = expanded(key)
        try:
            await asyncio.to_thread(load_suite, path)
        except MISTAKES as mistake:
            if not path.is_file():
                self.problem(for_app(str(mistake)))
                return
        self.dismiss(path.resolve())
