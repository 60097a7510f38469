"""Prompt files that other programs change while they are open here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..prompts.errors import PromptError
from .state import Playground

if TYPE_CHECKING:
    from ..prompts.document import Prompt
    from ..prompts.merge import Conflict

Signatures = dict[Path, tuple[int, ...]]
"""What tells by files whether they were changed; empty for a file that is not there."""


@dataclass(frozen=True)
class News:
    """What another program did to the file of a document, or to one that this depends on: `path`.

    It may be `deleted`. With a `conflict` the same fields were changed here; with a `problem` the
    file cannot be used; otherwise the changes have been taken into the variants called `names`.
    """

    document: str
    path: Path
    names: tuple[str, ...] = ()
    conflict: Conflict | None = None
    problem: str = ""
    deleted: bool = False


class Outside:
    """Notices changes, and takes in those that touch nothing that was changed here."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._seen: dict[str, Signatures] = {}
        """By document: its file and those it depends on, as they were when it was last taken in."""
        self._others: dict[str, set[Path]] = {}
        """By document: the files it depends on."""
        self._missing: set[str] = set()
        """Documents of which a file was not there a look ago, as while another program saves it."""

    async def look(self) -> list[News]:
        """What is new since the last look."""
        paths = {
            document: variant.prompt.path
            for document, variant in self._playground.documents.all().items()
            if variant.prompt.path is not None and variant.prompt.loaded is not None
        }
        files = {
            document: {path, *self._others.get(document, ())} for document, path in paths.items()
        }
        found = await asyncio.to_thread(_signatures, files)
        news: list[News] = []
        for document, path in paths.items():
            now, before = found[document], self._seen.get(document, {})
            if now == before:
                self._missing.discard(document)
            elif not all(now.values()) and document not in self._missing:
                self._missing.add(document)
            else:
                self._missing.discard(document)
                item = await self._new(document, path, now, before)
                self._seen[document] = now
                news += [item] if item else []
        return news

    async def _new(
        self, document: str, path: Path, now: Signatures, before: Signatures
    ) -> News | None:
        if not now[path]:
            return News(document, path, deleted=True) if before.get(path, True) else None
        news = await self._take(document, path)
        changed = [file for file in now if file in before and now[file] != before[file]]
        if news is None or path in changed or not changed:
            return news
        return replace(news, path=changed[0])

    async def _take(self, document: str, path: Path) -> News | None:
        from ..prompts.merge import Conflict, merged
        from ..prompts.parse import load_prompt

        files = set[Path]()
        try:
            theirs = await asyncio.to_thread(load_prompt, path, files)
        except PromptError as error:
            self._others.setdefault(document, set()).update(files)
            return News(document, path, problem=str(error))
        self._others[document] = files
        variant = self._playground.documents.all().get(document)
        known = variant.prompt.loaded if variant else None
        if variant is None or known is None or known == theirs.loaded:
            return None
        try:
            both = merged(known.prompt, theirs, variant.prompt)
        except Conflict as conflict:
            return News(document, path, conflict=conflict)
        return News(document, path, self.settle(document, both, theirs))

    def settle(self, document: str, prompt: Prompt, on_disk: Prompt) -> tuple[str, ...]:
        """Go on with `prompt`, where the file says `on_disk`; the variants that use it."""
        return tuple(self._playground.put(document, prompt, original=on_disk))


def _signatures(files: Mapping[str, Iterable[Path]]) -> dict[str, Signatures]:
    return {
        document: {path: _signature(path) for path in paths} for document, paths in files.items()
    }


def _signature(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
