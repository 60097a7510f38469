"""Tokenize texts of any length: what llama.cpp cannot take at once goes to it in pieces.

llama.cpp's regular expressions recurse once per character of a word (about 400 bytes of stack
each), and some of its loops are quadratic: bytes and special tokens in the whole text, digits and
whitespace in a run of them. So a text longer than `LONGEST` characters, or with a run of `RUN`
digits or blanks, is tokenized in pieces. Every other text has llama.cpp's tokens.
Pieces end where the tokens are most likely those of the whole: after a line, or else after a
word. Where there is neither, a cut may add a token or two; the text they stand for is the same.

A text is also taken apart into stretches (see `stretches`), whose tokens are remembered: of a long
prompt that is being edited only the stretch that changed is tokenized again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from .stretches import SEAM, stretches

LONGEST = 65_536
"""Characters that are tokenized at once."""

RUN = 1_536
"""Digits or blanks in a row up to which they stay together; tokens of 2, 3 or 512 of them fit in."""

MARK = "\x01"
"""Set before a piece where the vocabulary adds a space to a text; no token joins it to another."""

_PLACES = (re.compile(r"(?<=\S\n)(?=\S)"), re.compile(r"(?<=[^\W\d_])(?= [^\W\d_])"))
"""Good places for a cut, best first: behind a line, and behind a word."""


MARGIN = 32
"""Characters on each side of a seam that decide whether tokens lie across it."""

REMEMBERED = 4_000_000
"""Characters whose tokens are remembered, at least; up to twice as many."""


class Vocabulary(Protocol):
    """What is asked of a model's vocabulary."""

    def plain_tokens(self, text: str, add_special: bool) -> list[int]:
        """Token ids as llama.cpp gives them for the whole text, written special tokens recognised."""
        ...

    def special_texts(self) -> Sequence[str]:
        """How the special tokens are written, blank ones left out."""
        ...

    def adds_space(self) -> bool:
        """A text gets a space in front before it is tokenized."""
        ...


K = TypeVar("K")
V = TypeVar("V")


class _Memory(Generic[K, V]):
    """What was found last, by key; what is not asked for again is forgotten."""

    def __init__(self) -> None:
        self._new: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._size = 0

    def get(self, key: K) -> V | None:
        found = self._new.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self._new[key] = found
        return found

    def put(self, key: K, value: V, size: int) -> None:
        self._size += size
        if self._size > REMEMBERED:
            self._old, self._new, self._size = self._new, {}, size
        self._new[key] = value


class Tokenizer:
    """A vocabulary's tokens of any texts, with those of the last stretches remembered."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._mark = MARK if vocabulary.adds_space() else ""
        self._special = vocabulary.special_texts()
        self._unsafe = [text for text in self._special if SEAM.search(text)]
        """Special tokens that a seam could lie in."""
        self._known = _Memory[tuple[str, bool], list[int]]()
        self._seams = _Memory[tuple[str, str, int, int], bool]()

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[int]:
        """Token ids of `texts`, one behind the other; no token lies across two of them.

        With `add_special` come the tokens that the vocabulary sets around a text (BOS, EOS).
        """
        first, *rest = texts
        if not rest and len(first) <= LONGEST and not _runs(RUN).search(first):
            if add_special:
                return self._vocabulary.plain_tokens(first, True)
            return self._text(first, True)
        before, after = self._around() if add_special else ([], [])
        tokens = [*before, *self._text(first, True)]
        for text in rest:
            tokens += self._text(text, False)
        return tokens + after

    def _text(self, text: str, first: bool) -> list[int]:
        """The tokens of one text, from its stretches where they join as in the whole."""
        parts = stretches(text)
        if len(parts) == 1 or any(special in text for special in self._unsafe):
            return self._stretch(text, first)
        found = [self._stretch(part, first and not at) for at, part in enumerate(parts)]
        tokens: list[int] = []
        begin = 0
        for end in range(1, len(parts) + 1):
            if end < len(parts) and not self._joins(parts, found, end):
                continue
            if end - begin == 1:
                tokens += found[begin]
            else:
                tokens += self._stretch("".join(parts[begin:end]), first and not begin)
            begin = end
        return tokens

    def _joins(self, parts: Sequence[str], found: Sequence[Sequence[int]], at: int) -> bool:
        """Whether the tokens found before stretch `at` and its own are, one behind the other, those
        of both stretches.

        Merges depend on what is next to them alone: where the text around the seam has a boundary
        there, with the very tokens that the stretches end and begin with, so has the whole.
        """
        tail, head = parts[at - 1][-MARGIN:], parts[at][:MARGIN]
        last, first = found[at - 1][-1], found[at][0]
        key = tail, head, last, first
        known = self._seams.get(key)
        if known is None:
            before, after = self._plain(tail), self._plain(head)
            whole = self._plain(tail + head)
            known = (whole, before[-1:], after[:1]) == (before + after, [last], [first])
            self._seams.put(key, known, len(tail) + len(head))
        return known

    def _stretch(self, text: str, first: bool) -> list[int]:
        key = text, first
        ids = self._known.get(key)
        if ids is None:
            ids = self._in_pieces(text, first)
            self._known.put(key, ids, len(text))
        return ids

    def _in_pieces(self, text: str, first: bool) -> list[int]:
        if len(text) <= LONGEST and not _runs(RUN).search(text):
            return self._vocabulary.plain_tokens(text, False) if first else self._plain(text)
        tokens: list[int] = []
        for piece in pieces_of(text, self._special, LONGEST, RUN):
            tokens += self._vocabulary.plain_tokens(piece, False) if first else self._plain(piece)
            first = False
        return tokens

    def _plain(self, text: str) -> list[int]:
        """The tokens of what stands behind other text: no space is set before it."""
        head = len(self._vocabulary.plain_tokens(self._mark, False)) if self._mark else 0
        return self._vocabulary.plain_tokens(self._mark + text, False)[head:]

    def _around(self) -> tuple[list[int], list[int]]:
        """The tokens set before and after a text."""
        text = self._vocabulary.plain_tokens("a", False)
        whole = self._vocabulary.plain_tokens("a", True)
        before = next(i for i in range(len(whole)) if whole[i : i + len(text)] == text)
        return whole[:before], whole[before + len(text) :]


def pieces_of(text: str, special: Sequence[str], longest: int, run: int) -> list[str]:
    """`text` in pieces of up to `longest` characters, with up to `run` digits or blanks in a row.

    No text of `special` is cut in two, unless there is no other place in half of `longest`.
    """
    ends = [*_ends_of_runs(text, special, run), len(text)]
    pieces: list[str] = []
    start = 0
    for end in ends:
        while end - start > longest:
            cut = _cut(text, start, start + longest, special)
            pieces.append(text[start:cut])
            start = cut
        if end > start:
            pieces.append(text[start:end])
            start = end
    return pieces or [text]


def _runs(length: int) -> re.Pattern[str]:
    return re.compile(rf"\s{{{length}}}|\d{{{length}}}")


def _ends_of_runs(text: str, special: Sequence[str], run: int) -> Iterator[int]:
    start = 0
    for match in _runs(run).finditer(text):
        if match.end() < len(text):
            yield (start := _outside(text, start, match.end(), special))


def _cut(text: str, start: int, limit: int, special: Sequence[str]) -> int:
    """The best place for a cut in the second half of `text[start:limit]`."""
    least = (start + limit) // 2
    for place in _PLACES:
        found = [match.start() for match in place.finditer(text, least, limit)]
        for at in reversed(found[-8:]):
            if _outside(text, least, at, special) == at:
                return at
    return _outside(text, least, limit, special)


def _outside(text: str, least: int, at: int, special: Sequence[str]) -> int:
    """`at`, or the start of the special token that lies across it; `at` if that is before `least`."""
    place = at
    while place > least:
        for token in special:
            begin = max(0, place - len(token) + 1)
            across = text.find(token, begin, place + len(token) - 1)
            if across >= 0:
                place = across
                break
        else:
            return place
    return at
