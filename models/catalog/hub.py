"""The Hugging Face cache, which llama.cpp uses too: repositories, their revisions, files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .files import HUB_PREFIX, Candidate, tree

_MAX_REFERENCE = 256


def hub(root: Path, source: str) -> Iterator[Candidate]:
    """The models and adapters of a cache, those of each repository's `main` revision first.

    Files are links to blobs: a blob that two revisions share comes twice, with one identity.
    Links to folders are not followed: hubs have none, and one could lead anywhere.
    Raises OSError when the cache cannot be read.
    """
    for repository in sorted(root.iterdir(), key=lambda path: path.name.casefold()):
        if not repository.name.startswith(HUB_PREFIX):
            continue
        owner = repository.name.removeprefix(HUB_PREFIX).replace("--", "/")
        for revision, is_main in _revisions(repository):
            whose = owner if is_main else f"{owner}@{revision.name[:7]}"
            try:
                yield from tree(str(revision), source, whose, links=False)
            except OSError:
                continue


def _revisions(repository: Path) -> list[tuple[Path, bool]]:
    """The folders of the revisions, and which of them is the main one (if only one, that)."""
    snapshots = repository / "snapshots"
    try:
        if snapshots.is_symlink():
            return []
        revisions = sorted(path for path in snapshots.iterdir() if not path.is_symlink())
    except OSError:
        return []
    main = _main(repository)
    if main not in [revision.name for revision in revisions] and revisions:
        main = revisions[-1].name
    return sorted(((r, r.name == main) for r in revisions), key=lambda pair: not pair[1])


def _main(repository: Path) -> str:
    try:
        if not (repository / "refs" / "main").is_file():
            return ""
        with (repository / "refs" / "main").open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_REFERENCE).strip()
    except OSError:
        return ""
