"""What the catalog says of a model or an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..gguf.facts import AdapterFacts, ModelFacts

Kind = Literal["model", "adapter"]


@dataclass(frozen=True)
class ModelEntry:
    """One base model of the catalog; its fields are those of `llamadiff models --json`.

    `name` is unique among the models of one catalog. `parameters` are counted where the head of
    the file lists its tensors, else as the file labels itself; `bytes` is the size of all its
    parts, `context` in tokens. What is not known is None. `problem` says in one sentence why the
    model cannot be used.
    """

    name: str
    path: str
    source: str
    architecture: str | None
    parameters: int | None
    quantization: str | None
    bytes: int | None
    context: int | None
    problem: str | None


@dataclass(frozen=True)
class AdapterEntry:
    """One adapter of the catalog; its fields are those of `llamadiff adapters --json`.

    `name` is unique among the adapters of one catalog. `rank` is the largest rank, `alpha` None
    where the file has none, `base` the base model's name as the file gives it. `problem` as in
    `ModelEntry`; a PEFT folder has one when it cannot be converted.
    """

    name: str
    path: str
    source: str
    architecture: str | None
    rank: int | None
    alpha: float | None
    targets: tuple[str, ...]
    base: str | None
    bytes: int | None
    problem: str | None

    @property
    def is_peft(self) -> bool:
        """Whether this is a PEFT folder, which has to be converted first."""
        return Path(self.path).is_dir()


@dataclass(frozen=True)
class FoundModel:
    """A base model that can be used: its line in the catalog and all that is known of it."""

    entry: ModelEntry
    facts: ModelFacts


@dataclass(frozen=True)
class FoundAdapter:
    """An adapter that can be used: its line in the catalog and all that is known of it."""

    entry: AdapterEntry
    facts: AdapterFacts
