"""Text that a tokenizer would take for a special token, and how it is kept from doing so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

JOINT = "\ufdd0"
"""No token lies across this character, which is no text itself (Unicode keeps it for such uses)."""


class Special:
    """How the special tokens of a model are written."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(text for text in texts if len(text) > 1)
        lengths: dict[str, set[int]] = {}
        for text in self._texts:
            lengths.setdefault(text[0], set()).add(len(text))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        starts = "".join(map(re.escape, lengths))
        self._starts = re.compile(f"[{starts}]" if starts else "(?!)")

    @cached_property
    def encoded(self) -> frozenset[bytes]:
        """The texts in UTF-8."""
        return frozenset(text.encode() for text in self._texts)

    def __contains__(self, text: str) -> bool:
        return text in self._texts

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where special tokens are written in a text: start and end of each, the longest of those
        that start at one place; they may overlap."""
        for match in self._starts.finditer(text):
            at = match.start()
            for length in self._lengths[text[at]]:
                if text[at : at + length] in self._texts:
                    yield at, at + length
                    break

    def written_in(self, text: str) -> tuple[str, ...]:
        """The special tokens written in a text, each once, in order."""
        return tuple(dict.fromkeys(text[start:end] for start, end in self.find(text)))

    def fenced(self, text: str) -> str:
        """The text with a JOINT behind the first character of each special token in it."""
        parts: list[str] = []
        at = 0
        for start, _ in self.find(text):
            parts.append(text[at : start + 1])
            at = start + 1
        return JOINT.join([*parts, text[at:]])


def without_joints(text: str) -> str:
    """The text as it is, after `Special.fenced`."""
    return text.replace(JOINT, "")
