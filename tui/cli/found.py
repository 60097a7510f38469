"""The catalog and the library as the commands use them, with a person's own folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.current import model_folders, prompt_folders
from ..paths import adapters_folder, cache_dir

if TYPE_CHECKING:
    from ...models.catalog import Catalog, FoundModel
    from ...prompts.library import Library


def open_library() -> Library:
    """The person's own prompts, and those that ship."""
    from ...prompts.library import Library

    return Library(prompt_folders())


def open_catalog(places: Sequence[Path] = ()) -> Catalog:
    """What is on this disk, or in `places` alone; nothing is looked for until it is asked."""
    from ...models.catalog import Catalog

    if places:
        return Catalog(places, cache_dir=cache_dir(), only=True)
    return Catalog(model_folders(), own=adapters_folder(), cache_dir=cache_dir())


def base_model(catalog: Catalog, name: str) -> FoundModel:
    """The base model meant, for a command that takes no adapters. Raises ModelError."""
    from ...models.errors import ModelError

    try:
        return catalog.model(name)
    except ModelError as error:
        advised = re.sub(
            r"; give it (with -a|as an adapter \(-a\))\.$", "; give a base model.", str(error)
        )
        raise ModelError(advised) from None
