"""Prompt files that other programs change while they are open here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..prompts.errors import PromptError
from .state import Playground

if TYPE_CHECKING:
    from ..prompts.document import Prompt
    from ..prompts.merge import Conflict

Signature = tuple[int, ...]


@dataclass(frozen=True)
class News:
    """What another program did to the file of a document.

    With a `conflict` the same fields were changed here; with a `problem` the file cannot be used;
    otherwise the changes have been taken into the variants called `names`.
    """

    document: str
    path: Path
    names: tuple[str, ...] = ()
    conflict: Conflict | None = None
    problem: str = ""


class Outside:
    """Notices changes, and takes in those that touch nothing that was changed here."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._seen: dict[Path, Signature] = {}

    async def look(self) -> list[News]:
        """What is new since the last look."""
        news: list[News] = []
        for document, variant in self._playground.documents().items():
            path = variant.prompt.path
            if path is None or variant.prompt.loaded is None:
                continue
            signature = await asyncio.to_thread(_signature, path)
            if not signature or self._seen.get(path) == signature:
                continue
            found = await self._take(document, path)
            self._seen[path] = signature
            news += [found] if found else []
        return news

    async def _take(self, document: str, path: Path) -> News | None:
        from ..prompts.merge import Conflict, merged
        from ..prompts.parse import load_prompt

        try:
            theirs = await asyncio.to_thread(load_prompt, path)
        except PromptError as error:
            return News(document, path, problem=str(error))
        variant = self._playground.documents().get(document)
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


def _signature(path: Path) -> Signature:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
