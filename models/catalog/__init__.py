"""Which base models and adapters there are on this disk, and which of them a name means."""

from collections.abc import Sequence
from pathlib import Path

from .entries import AdapterEntry, FoundAdapter, FoundModel, ModelEntry
from .listing import Catalog, default_model
from .places import BUNDLED

__all__ = [
    "BUNDLED",
    "AdapterEntry",
    "Catalog",
    "FoundAdapter",
    "FoundModel",
    "ModelEntry",
    "default_model",
    "list_adapters",
    "list_models",
    "resolve_adapter",
    "resolve_model",
]


def list_models(extra: Sequence[Path] = (), *, cache_dir: Path | None = None) -> list[ModelEntry]:
    """The base models on this disk: bundled, those of `extra` (files, or folders and all in
    them), and those of other programs.

    Only the heads of files are read, and remembered in `cache_dir`. One that cannot be used is
    listed with its problem, behind the others; so is one too damaged to tell what it is.
    """
    return Catalog(extra, cache_dir=cache_dir).models()


def list_adapters(
    extra: Sequence[Path] = (), *, cache_dir: Path | None = None
) -> list[AdapterEntry]:
    """The adapters on this disk; as `list_models`. Their numbers are not read."""
    return Catalog(extra, cache_dir=cache_dir).adapters()


def resolve_model(
    name_or_path: str, extra: Sequence[Path] = (), *, cache_dir: Path | None = None
) -> FoundModel:
    """The base model meant by a path or by a name of the catalog (in any case), fully checked.

    A name is what the catalog shows, a file's name with or without `.gguf`, an Ollama model's
    with or without `:latest`, `org/repo` or `org/repo:Q4_K_M` of a cache, or `general.name`.
    Raises ModelError when nothing, or more than one file, goes by that name, and when the file
    cannot be used.
    """
    return Catalog(extra, cache_dir=cache_dir).model(name_or_path)


def resolve_adapter(
    name_or_path: str, extra: Sequence[Path] = (), *, cache_dir: Path | None = None
) -> FoundAdapter:
    """The adapter meant by a path or by a name of the catalog; as `resolve_model`."""
    return Catalog(extra, cache_dir=cache_dir).adapter(name_or_path)
