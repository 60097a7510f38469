"""What is typed and not saved: kept as it is typed, and brought back at the next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import msgspec

from ..prompts.document import Prompt
from .parts import parts_of
from .state import Playground


class Draft(Protocol):
    """A prompt as it was typed, when, and the undo steps as they were given."""

    @property
    def at(self) -> datetime: ...
    @property
    def prompt(self) -> Prompt: ...
    @property
    def undo(self) -> bytes: ...


class DraftStore(Protocol):
    """Where drafts are kept, by what their prompt is known by. `save` and `drop` return at once."""

    def load(self, key: str) -> Draft | None: ...
    def save(self, key: str, prompt: Prompt, undo: bytes) -> None: ...
    def drop(self, key: str) -> None: ...


class Texts(Protocol):
    """The editor of the texts, each known by its document and the key of its part."""

    def undo_steps(self) -> Mapping[str, bytes]: ...
    def bring_back(self, key: str, text: str, steps: bytes) -> None: ...


class Drafting:
    """Keeps the drafts of a playground's prompts; a prompt is known by what was opened."""

    def __init__(self, playground: Playground, texts: Texts) -> None:
        self._playground = playground
        self._texts = texts
        self._kept: dict[str, tuple[str, Prompt]] = {}
        """By document: the key its draft is kept by, and that draft."""

    def keep(self, store: DraftStore) -> None:
        """Have what was typed kept; what is as it was opened, or saved, needs no draft."""
        steps: Mapping[str, bytes] = {}
        for document, variant in self._playground.documents().items():
            key, kept = self._kept.get(document, ("", None))
            if not self._playground.edited(variant):
                if self._kept.pop(document, None):
                    store.drop(key)
            elif kept != variant.prompt:
                key = key or _key(self._playground.original(variant))
                steps = steps or self._texts.undo_steps()
                own = {k.partition("\n")[2]: s for k, s in steps.items() if k.startswith(f"{document}\n")}  # fmt: skip
                store.save(key, variant.prompt, msgspec.msgpack.encode(own))
                self._kept[document] = key, variant.prompt

    def wanted(self) -> list[tuple[str, str]]:
        """(document, key) of the prompts that a draft may be brought back for."""
        return [
            (document, _key(variant.prompt))
            for document, variant in self._playground.documents().items()
            if not self._playground.edited(variant)
        ]

    def bring_back(self, document: str, draft: Draft) -> None:
        """Go on with a draft, unless it says what the file says, or something was typed meanwhile."""
        variant = self._playground.documents().get(document)
        if variant is None or self._playground.edited(variant):
            return
        prompt = in_place_of(variant.prompt, draft.prompt)
        if prompt == variant.prompt:
            return
        self._kept[document] = _key(variant.prompt), prompt
        self._playground.put(document, prompt, typed=draft.at)
        try:
            steps = msgspec.msgpack.decode(draft.undo, type=dict[str, bytes])
        except msgspec.MsgspecError:
            steps = {}
        for part in parts_of(prompt):
            if part.key in steps:
                self._texts.bring_back(f"{document}\n{part.key}", part.text, steps[part.key])


def _key(prompt: Prompt) -> str:
    from ..compare.history.content import identity

    return identity(prompt)


def in_place_of(opened: Prompt, typed: Prompt) -> Prompt:
    """The words typed, in the file that was opened."""
    return replace(typed, path=opened.path, loaded=opened.loaded, inherited=opened.inherited)
