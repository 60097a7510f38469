"""What is known of loaded models, for the top bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.variants import Variant
    from ..models.engine.protocol import ModelInfo


class ModelFacts:
    """The quantization of each base model that was loaded, and how it runs."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[str, tuple[str, ...]]] = {}

    def __contains__(self, model: Path) -> bool:
        return model in self._known

    def of(self, variant: Variant | None) -> tuple[str, tuple[str, ...]]:
        """Quantization and facts of a variant's model; empty while it is not known."""
        return self._known.get(variant.model, ("", ())) if variant else ("", ())

    def note(self, model: Path, quantization: str, info: ModelInfo) -> None:
        """Take note of what a loaded model is."""
        backend = info.backend
        if info.n_gpu_layers > 0:
            backend += f" {info.n_gpu_layers} layers"
        threads = f"{info.n_threads} thread{'s' * (info.n_threads != 1)}"
        self._known[model] = (quantization, (f"{info.n_ctx:,} ctx", threads, backend))

    def forget(self, model: Path) -> None:
        """The model is not in memory any more."""
        self._known.pop(model, None)
