"""Choose a base model from the catalog, or open any GGUF file by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ...models.catalog import list_models, resolve_model
from ...models.errors import ModelError
from ..sentences import for_app
from .picker import Choice, Picker


class PickModel(Picker[tuple[str, Path]]):
    """Gives the name and path of the model that was chosen, its header checked."""

    TITLE_TEXT = "Base model"
    PLACEHOLDER = "name, or the path of a .gguf file"
    SUFFIX = ".gguf"

    def load(self) -> Sequence[Choice]:
        return [
            Choice(
                model.path,
                model.name,
                " · ".join(
                    part
                    for part in (
                        model.quantization or "",
                        f"{model.parameters / 1e6:,.1f}M" if model.parameters else "",
                        f"{model.context:,} ctx" if model.context else "",
                        model.source,
                    )
                    if part
                ),
                model.problem or "",
            )
            for model in list_models()
        ]

    async def take(self, key: str) -> None:
        try:
            found = await asyncio.to_thread(resolve_model, key)
        except ModelError as error:
            self.problem(for_app(str(error)))
        else:
            self.dismiss((found.entry.name, found.facts.path))
