"""What the headers of models and adapters say, read once, and whether they fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..models.engine.protocol import ModelSettings
from ..models.errors import named
from ..models.gguf.facts import ModelFacts
from ..models.memory import beyond_training
from .variants import Variant


class Fitting:
    """Looks into files; what it found is known while they stay the same."""

    def __init__(
        self, cache_dir: Path, settings: ModelSettings, own: Mapping[str, ModelSettings]
    ) -> None:
        self.settings = settings
        """How models are loaded that have no settings of their own."""
        self._own = own
        self._cache_dir = cache_dir
        self._facts: dict[tuple[Path, int], ModelFacts] = {}
        self._fitting: dict[tuple[Path, int, Path, int], tuple[str, ...]] = {}
        """What is odd about adapters that fit, by the base and the adapter."""

    def settings_of(self, variant: Variant) -> ModelSettings:
        """How the variant's base model is loaded: as it has it of its own, else as all are."""
        return self._own.get(variant.model_name, self.settings)

    def facts(self, model: Path) -> ModelFacts:
        """What the header of a model says, checked; read once while the file stays the same."""
        from ..models.gguf.check import check_model

        key = (model, _mtime(model))
        if key not in self._facts:
            self._facts[key] = check_model(model)
        return self._facts[key]

    def check_files(self, variant: Variant) -> None:
        """Raise ModelError for a model that cannot be used, or an adapter that does not fit."""
        self.facts(variant.model)
        for adapter in variant.adapters:
            self._odd(variant.model, adapter.path)

    def _odd(self, model: Path, adapter: Path) -> tuple[str, ...]:
        """What is odd about the adapter on this base. Raises ModelError if it does not fit."""
        from ..models.adapters.preflight import check_fit
        from ..models.gguf.check import check_adapter
        from ..models.hashing import cached_model_sha256

        key = (model, _mtime(model), adapter, _mtime(adapter))
        if key not in self._fitting:
            facts = self.facts(model)
            sha256 = cached_model_sha256(facts.parts, self._cache_dir)
            self._fitting[key] = check_fit(check_adapter(adapter), facts, base_sha256=sha256)
        return self._fitting[key]

    def odd(self, variants: Iterable[Variant]) -> list[str]:
        """What may surprise about these variants' adapters on their bases, or about a context longer
        than a base was trained for, a sentence each.

        The hash of a base is held against the one its adapter records where it is known without
        reading the file. Raises ModelError for an adapter that does not fit.
        """
        said: list[str] = []
        for it in variants:
            beyond = beyond_training(self.facts(it.model), self.settings_of(it).n_ctx)
            sentences = [
                odd for adapter in it.adapters for odd in self._odd(it.model, adapter.path)
            ]
            sentences += [beyond] if beyond else []
            said += [named(sentence, it.model, it.model_name) for sentence in sentences]
        return list(dict.fromkeys(said))


def _mtime(path: Path) -> int:
    """Modification time in nanoseconds; 0 for a file that is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
