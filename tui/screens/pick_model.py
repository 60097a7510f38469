"""Choose a base model from the catalog, or open any GGUF file by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ...models.catalog import Catalog
from ...models.errors import ModelError
from ..amounts import count
from ..sentences import for_app
from .picker import Choice, Picker


class PickModel(Picker[tuple[str, Path]]):
    """Gives the name and path of the model that was chosen, its header checked."""

    TITLE_TEXT = "Base model"
    PLACEHOLDER = "name, or the path of a .gguf file"
    SUFFIX = ".gguf"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog

    def load(self) -> Sequence[Choice]:
        self._catalog.scan()
        return [
            Choice(
                model.path,
                model.name,
                " · ".join(
                    part
                    for part in (
                        model.quantization or "",
                        count(model.parameters) if model.parameters else "",
                        f"{model.context:,} ctx" if model.context else "",
                        model.source,
                    )
                    if part
                ),
                model.problem or "",
            )
            for model in self._catalog.models()
        ]

    async def take(self, key: str) -> None:
        try:
            found = await asyncio.to_thread(self._catalog.model, key)
        except ModelError as error:
            self.problem(for_app(str(error)))
        else:
            names = {choice.key: choice.name for choice in self.choices}
            self.dismiss((names.get(key, found.entry.name), found.facts.path))
