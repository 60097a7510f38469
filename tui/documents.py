"""The prompts that are being edited: which variants have each, and what was opened of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.variants import Variant
    from ..prompts.document import Prompt


class Documents:
    """Variants with the same prompt share a document: they are edited together.

    `variants` gives the variants there are.
    """

    def __init__(self, variants: Callable[[], Sequence[Variant]]) -> None:
        self._variants = variants
        self.shares: dict[str, int] = {}
        """The number of each variant's document, by the variant's name."""
        self._next = 0
        self._originals: dict[int, Prompt] = {}
        """By that number: the prompt as it was opened, or is in its file."""
        self._drafted: dict[int, datetime] = {}
        """By that number: when what was typed before this start of the app was typed."""

    def open(self) -> None:
        """Know the variants there are now, and no others."""
        self.shares = {}
        for variant in self._variants():
            self.take(variant.name, variant.prompt)

    def take(self, name: str, prompt: Prompt) -> None:
        """Have a variant share the document of those that have this prompt now, or a new one."""
        for other in self._variants():
            same = other.prompt == prompt and other.prompt.path == prompt.path
            if same and other.name in self.shares:
                self.shares[name] = self.shares[other.name]
                return
        self._next += 1
        self._originals[self._next] = prompt
        self.shares[name] = self._next

    def edited(self, variant: Variant) -> bool:
        """Whether a variant's prompt differs from what was opened."""
        return self.original(variant) != variant.prompt

    def unsaved(self, variant: Variant) -> str:
        """How a variant's prompt differs from its file, in a word or two."""
        if self.edited(variant):
            return "edited"
        return "" if variant.prompt.path else "no file"

    def original(self, variant: Variant) -> Prompt:
        """A variant's prompt as it was opened, or is in its file."""
        return self._originals[self.shares[variant.name]]

    def drafted(self, variant: Variant) -> datetime | None:
        """When a variant's prompt was typed, if that was before the app was started."""
        return self._drafted.get(self.shares[variant.name])

    def of(self, variant: Variant) -> str:
        """What this variant's prompt is known by for as long as it is edited."""
        return str(self.shares[variant.name])

    def all(self) -> Mapping[str, Variant]:
        """A variant for each document there is."""
        return {self.of(variant): variant for variant in reversed(self._variants())}

    def sharing(self, variant: Variant) -> list[str]:
        """Names of the variants whose prompt is edited together with this one's."""
        share = self.shares[variant.name]
        return [other.name for other in self._variants() if self.shares[other.name] == share]

    def changed(
        self, share: int, prompt: Prompt, original: Prompt | None, typed: datetime | None
    ) -> None:
        """Take note that a document says `prompt` now, and of what is in its file, if given."""
        if original is not None:
            self._originals[share] = original
        if typed is not None:
            self._drafted[share] = typed
        elif prompt == self._originals[share]:
            self._drafted.pop(share, None)


def with_prompt(
    variants: Iterable[Variant], shares: Mapping[str, int], share: int, new: Prompt
) -> list[Variant]:
    """The variants, those of one document with another prompt."""
    return [replace(v, prompt=new) if shares[v.name] == share else v for v in variants]
