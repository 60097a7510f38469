"""What is typed and not saved: kept as it is typed, and brought back when its prompt is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import msgspec

from ..prompts.document import Loaded, Prompt
from .parts import parts_of
from .state import Playground

if TYPE_CHECKING:
    from ..compare.history.drafts import Draft, Drafts
    from ..compare.variants import Variant


class Texts(Protocol):
    """The editor of the texts, each known by its document and the key of its part."""

    def undo_steps(self) -> Mapping[str, bytes]: ...
    def bring_back(self, key: str, text: str, steps: bytes) -> None: ...


@dataclass(frozen=True)
class _Kept:
    """A draft as it was last kept. What was made by a key and not `typed` in can be made again."""

    id: str
    prompt: Prompt
    typed: bool
    unsaved: bool


class Drafting:
    """Keeps the drafts of a playground's prompts. A prompt without a file is never saved."""

    def __init__(self, playground: Playground, texts: Texts) -> None:
        self._playground = playground
        self._texts = texts
        self._kept: dict[str, _Kept] = {}
        """By document."""
        self._looked: set[str] = set()
        """The documents that drafts were looked for, once."""
        self._unwanted: dict[str, Prompt] = {}
        """By document: a prompt without a file that is to be forgotten."""

    # ---------------------------------------------------------------- keeping

    def keep(self, store: Drafts) -> None:
        """Have what was typed kept; of what is in its file again, or saved, only the undo steps."""
        steps: Mapping[str, bytes] = {}
        documents = self._playground.documents.all()
        for document, variant in documents.items():
            kept = self._kept.get(document)
            unsaved = self._unsaved(document, variant)
            if kept is not None and (kept.prompt, kept.unsaved) == (variant.prompt, unsaved):
                continue
            steps = steps or self._texts.undo_steps()
            own = {k.partition("\n")[2]: s for k, s in steps.items() if k.startswith(f"{document}\n")}  # fmt: skip
            if unsaved or (own and variant.prompt.path is not None):
                key, typed = (kept.id, kept.typed) if kept else (uuid4().hex, False)
                base = _file_said(variant.prompt) if unsaved else variant.prompt
                store.save(key, variant.prompt, base, msgspec.msgpack.encode(own))
                typed = typed or bool(own) or self._playground.documents.edited(variant)
                self._kept[document] = _Kept(key, variant.prompt, typed, unsaved)
            else:
                self._drop(document, store)
        for document in self._kept.keys() - documents.keys():
            kept = self._kept[document]
            if not kept.typed or self._unwanted.get(document) == kept.prompt:
                self._drop(document, store)

    def _unsaved(self, document: str, variant: Variant) -> bool:
        if self._playground.documents.edited(variant):
            return True
        return variant.prompt.path is None and self._unwanted.get(document) != variant.prompt

    def _drop(self, document: str, store: Drafts) -> None:
        if kept := self._kept.pop(document, None):
            store.drop(kept.id)

    def forget(self, variant: Variant) -> None:
        """Keep a prompt without a file no more, until it is changed."""
        self._unwanted[self._playground.documents.of(variant)] = variant.prompt

    # ------------------------------------------------------------ bringing back

    @property
    def shown(self) -> set[str]:
        """The ids of the drafts that are on the screen."""
        documents = self._playground.documents.all()
        return {kept.id for document, kept in self._kept.items() if document in documents}

    @property
    def behind(self) -> bool:
        """Whether prompts were opened that drafts were not looked for yet."""
        return not self._looked.issuperset(self._playground.documents.all())

    def leave_alone(self) -> None:
        """What is open now is to stay as it is: its drafts wait until it is opened another time."""
        self._looked |= self._playground.documents.all().keys()

    async def catch_up(self, store: Drafts) -> list[str]:
        """Look for drafts of the prompts opened since the last time, and go on with them.

        Gives the names of the variants that this changed. Raises CompareError.
        """
        changed: list[str] = []
        opened = self._playground.documents.all()
        new = {it: variant.prompt for it, variant in opened.items() if it not in self._looked}
        self._looked |= new.keys()
        for document, prompt in new.items():
            draft = await asyncio.to_thread(_draft_of, prompt, store, self.shown)
            if draft is not None:
                changed += self.go_on(document, draft, store)
        return changed

    def go_on(self, document: str, draft: Draft, store: Drafts) -> list[str]:
        """Go on with a draft, unless something was typed meanwhile.

        If it says what the file says, or said then, it is for its undo steps alone. Where the file says something else than it did when this was typed, it is as if that had
        been changed just now. Gives the names of the variants that this changed.
        """
        self._looked.add(document)
        variant = self._playground.documents.all().get(document)
        if variant is None or self._playground.documents.edited(variant):
            return []
        opened = variant.prompt
        if opened.path is not None and draft.prompt == opened:
            self._kept[document] = _Kept(uuid4().hex, opened, typed=True, unsaved=False)
            store.take(replace(draft, base=opened), self._kept[document].id)
            self._undo_again(document, opened, draft)
            return []
        if draft.prompt == draft.base:
            store.drop(draft.id)
            return []
        prompt = in_place_of(opened, draft.prompt)
        if draft.base is not None and draft.base != opened:
            text = opened.loaded.text if opened.loaded else ""
            prompt = replace(prompt, loaded=Loaded("", draft.base, text))
        # It may be on the list of another document, which is not shown any more.
        self._kept = {it: kept for it, kept in self._kept.items() if kept.id != draft.id}
        self._kept[document] = _Kept(uuid4().hex, prompt, typed=True, unsaved=True)
        store.take(draft, self._kept[document].id)
        names = self._playground.put(document, prompt, typed=draft.at)
        self._undo_again(document, prompt, draft)
        return names

    def _undo_again(self, document: str, prompt: Prompt, draft: Draft) -> None:
        """Have the undo steps of a draft."""
        try:
            steps = msgspec.msgpack.decode(draft.undo, type=dict[str, bytes])
        except msgspec.MsgspecError:
            steps = {}
        for part in parts_of(prompt):
            if part.key in steps:
                self._texts.bring_back(f"{document}\n{part.key}", part.text, steps[part.key])


def _draft_of(prompt: Prompt, store: Drafts, but: set[str]) -> Draft | None:
    """The draft to go on with where a prompt is opened; without a file, one that says the same."""
    if prompt.path is not None:
        return store.newest(prompt, but)
    same = (it for it in store.free(but) if it.prompt.path is None and it.prompt == prompt)
    return next(same, None)


def _file_said(prompt: Prompt) -> Prompt | None:
    """What the file of a prompt said when it was read last."""
    return prompt.loaded.prompt if prompt.path and prompt.loaded else None


def in_place_of(opened: Prompt, typed: Prompt) -> Prompt:
    """The words typed, in the file that was opened."""
    return replace(typed, path=opened.path, loaded=opened.loaded, inherited=opened.inherited)
