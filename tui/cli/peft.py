"""PEFT folders given as adapters: converted as in the app, into the cache, and told on stderr."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .printing import note
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...models.gguf.facts import ModelFacts


def converter() -> Callable[[Path, ModelFacts], Path]:
    """What makes a file of a PEFT folder for a base model, and says so once. Raises ModelError."""
    said: set[Path] = set()

    def convert(folder: Path, base: ModelFacts) -> Path:
        from ...models.adapters.converted import converted
        from ..paths import cache_dir

        with ProgressLine() as line:
            usable = converted(
                folder,
                base,
                cache_dir(),
                progress=lambda what, done, total: line.show(what, done / max(total, 1)),
            )
        if usable.path not in said:
            said.add(usable.path)
            note(f"{folder} is a PEFT folder, used as converted for {base.name}: {usable.path}")
            for sentence in usable.notes:
                note(sentence)
        return usable.path

    return convert
