"""Tokenize a text of any length: what llama.cpp cannot take at once goes to it in pieces.

llama.cpp's regular expressions recurse once per character of a word (about 400 bytes of stack
each), and some of its loops are quadratic: bytes and special tokens in the whole text, digits and
whitespace in a run of them. So a text longer than `LONGEST` characters, or with a run of `RUN`
digits or blanks, is tokenized in pieces. Every other text goes whole and has llama.cpp's tokens.
Pieces end where the tokens are most likely those of the whole: after a line, or else after a
word. Where there is neither, a cut may add a token or two; the text they stand for is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

LONGEST = 65_536
"""Characters that are tokenized at once."""

RUN = 1_536
"""Digits or blanks in a row up to which they stay together; tokens of 2, 3 or 512 of them fit in."""

MARK = "\x01"
"""Set before a piece where the vocabulary adds a space to a text; no token joins it to another."""

_PLACES = (re.compile(r"(?<=\S\n)(?=\S)"), re.compile(r"(?<=[^\W\d_])(?= [^\W\d_])"))
"""Good places for a cut, best first: behind a line, and behind a word."""


class Vocabulary(Protocol):
    """What is asked of a model's vocabulary."""

    def plain_tokens(self, text: str, add_special: bool) -> list[int]:
        """Token ids as llama.cpp gives them for the whole text, written special tokens recognised."""
        ...

    def special_texts(self) -> Sequence[str]:
        """How the special tokens are written."""
        ...

    def adds_space(self) -> bool:
        """A text gets a space in front before it is tokenized."""
        ...


def tokenize(text: str, add_special: bool, vocabulary: Vocabulary) -> list[int]:
    """Token ids of `text`; with `add_special`, what the vocabulary sets around a text (BOS, EOS)."""
    if len(text) <= LONGEST and not _runs(RUN).search(text):
        return vocabulary.plain_tokens(text, add_special)
    before, after = _around(vocabulary) if add_special else ([], [])
    first, *rest = pieces_of(text, vocabulary.special_texts(), LONGEST, RUN)
    tokens = [*before, *vocabulary.plain_tokens(first, False)]
    mark = MARK if rest and vocabulary.adds_space() else ""
    head = vocabulary.plain_tokens(mark, False)
    for piece in rest:
        ids = vocabulary.plain_tokens(mark + piece, False)
        tokens += ids[len(head) :]
    return tokens + after


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


def _around(vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
    """The tokens set before and after a text."""
    text, whole = vocabulary.plain_tokens("a", False), vocabulary.plain_tokens("a", True)
    before = next(i for i in range(len(whole)) if whole[i : i + len(text)] == text)
    return whole[:before], whole[before + len(text) :]
