"""Text that a tokenizer would take for a special token, and how it is kept from doing so."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from .outline import Span

JOINT = "\ufdd0"
"""No token lies across this character, which is no text itself (Unicode keeps it for such uses)."""

LIKE_SPECIAL = re.compile(
    r"<\|[^<>|\s]{1,40}\|>"  # ChatML, Llama 3, Phi
    r"|<｜[^<>｜\s]{1,40}｜>"  # DeepSeek
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"  # Mistral
    r"|</?s>|<(?:bos|eos|pad|unk)>"  # Llama 2 and other SentencePiece vocabularies
    r"|<(?:start|end)_of_(?:turn|text)>"  # Gemma
)
"""How the special tokens of widespread chat models are written."""


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
                if (found := text[at : at + length]) in self._texts:
                    yield at, at + len(found)
                    break

    def written_in(self, text: str) -> tuple[str, ...]:
        """The special tokens written in a text, each once, in order."""
        return tuple(dict.fromkeys(text[start:end] for start, end in self.find(text)))

    def fenced(self, text: str, given: Sequence[Span]) -> tuple[str, tuple[str, ...]]:
        """The text with a JOINT in each special token that has a character of the places `given`
        (in order and apart), and these tokens, each once."""
        ends = [end for _, end in given]
        cuts: dict[int, str] = {}
        for start, end in self.find(text) if ends else ():
            at = bisect_right(ends, start)
            if at < len(given) and given[at][0] < end:
                cuts[max(start + 1, given[at][0])] = text[start:end]
        places = sorted(cuts)
        parts = [text[a:b] for a, b in pairwise((0, *places, len(text)))]
        return JOINT.join(parts), tuple(dict.fromkeys(cuts.values()))


def without_joints(text: str) -> str:
    """The text as it is, after `Special.fenced`."""
    return text.replace(JOINT, "")
