"""What is compared with what, by content: the same whatever variants, files and suites are called."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from ...models.engine.protocol import file_version
from ..history.content import canonical
from ..variants import Variant
from .decision.sides import bare_text, sampling_of, stack_of
from .settled import Names, names_of


def comparisons(
    variants: Sequence[Variant], where: Mapping[str, Sequence[str]]
) -> dict[Names, str]:
    """A hash for each two variants, on rows with these values of columns.

    It does not depend on which of the two is the baseline, nor on seeds, checks and repeats. A
    model is told by its file's name and size, an adapter by what is in its file. Reads files.
    """
    wanted = sorted((name, sorted(values)) for name, values in where.items())
    what = {it.name: _what(it) for it in variants}
    return {
        names_of(one, other): hashlib.sha256(
            json.dumps([*sorted((what[one], what[other])), wanted]).encode()
        ).hexdigest()
        for one, other in itertools.combinations(what, 2)
    }


def _what(variant: Variant) -> str:
    model = variant.model
    sampling = {key: value for key, value in sampling_of(variant).items() if key != "seed"}
    parts = [
        [model.name, model.stat().st_size if model.exists() else 0],
        sorted([_content(it.path, file_version(it.path)), it.scale] for it in stack_of(variant)),
        canonical(bare_text(variant.prompt)).decode(),
        msgspec.to_builtins(sampling, str_keys=True),
        dict(variant.values),
    ]
    return json.dumps(parts, sort_keys=True)


@lru_cache(maxsize=256)
def _content(path: Path, version: str) -> str:
    """A file's SHA-256; its name while there is none, which `version` says."""
    if not version:
        return path.name
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
