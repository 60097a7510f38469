"""The Hugging Face cache, which llama.cpp uses too: repositories, their revisions, files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .files import Candidate, tree

_PREFIX = "models--"
_MAX_REFERENCE = 256


def hub(root: Path, source: str) -> Iterator[Candidate]:
    """The models and adapters of a cache, those of each repository's `main` revision first.

    Files are links to blobs: a blob that two revisions share comes twice, with one identity.
    Raises OSError when the cache cannot be read.
    """
    for repository in sorted(root.iterdir(), key=lambda path: path.name.casefold()):
        if not repository.name.startswith(_PREFIX):
            continue
        owner = repository.name.removeprefix(_PREFIX).replace("--", "/")
        for revision, is_main in _revisions(repository):
            whose = owner if is_main else f"{owner}@{revision.name[:7]}"
            try:
                yield from tree(str(revision), source, whose)
            except OSError:
                continue


def _revisions(repository: Path) -> list[tuple[Path, bool]]:
    """The folders of the revisions, and which of them is the main one (if only one, that)."""
    try:
        revisions = sorted((repository / "snapshots").iterdir())
    except OSError:
        return []
    main = _main(repository)
    if main not in [revision.name for revision in revisions] and revisions:
        main = revisions[-1].name
    return sorted(((r, r.name == main) for r in revisions), key=lambda pair: not pair[1])


def _main(repository: Path) -> str:
    try:
        with (repository / "refs" / "main").open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_REFERENCE).strip()
    except OSError:
        return ""
