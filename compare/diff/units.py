"""Split a text into the units that a diff compares, at once or while it grows.

Words: a word, number or other visible character, with the whitespace that follows it.
Whitespace is not compared here (`core` leaves it out): "dogs" and "dogs." differ by a full
stop only, however the words are spaced; `regions` then finds the spaces that really differ.
Apostrophes inside words and points inside numbers belong to them. Scripts written without
spaces count one character as a word.

Characters: a base character with the marks, modifiers and joined emoji that follow it, after
the idea of Unicode Standard Annex 29 (no Hangul jamo or Indic conjuncts).

Lines: up to and with the line feed. Tokens: as told by their ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Literal

Mode = Literal["word", "char", "line", "token"]

_LOOKAHEAD = 2  # characters after a unit that can still change it: "3" + ".1", "don" + "’t"
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff"
)
_JOINER = "\u200d"
_MARKED = (  # where living scripts have their marks; looking through all of Unicode takes long
    range(0x300, 0x3100),
    range(0xA660, 0xAC00),
    range(0xFB1E, 0xFB1F),
    range(0xFE00, 0xFE30),
    range(0x11000, 0x11A00),
    range(0x1E900, 0x1E950),
)


@cache
def _marks() -> str:
    """A regex class of what never stands alone: marks, joiners, skin tones, flag tags."""
    points = [c for part in _MARKED for c in part if unicodedata.category(chr(c))[0] == "M"]
    points += [0x200C, ord(_JOINER), *range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE01F0)]
    runs = groupby(enumerate(sorted(points)), key=lambda pair: pair[1] - pair[0])
    ranges = [[point for _, point in run] for _, run in runs]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in ranges)


@cache
def _pattern(mode: Mode) -> re.Pattern[str]:
    """What matches one unit at any offset of any text. Every repetition is bounded but a line's."""
    if mode == "line":
        return re.compile(r"[^\n]*\n|[^\n]+")
    mark = f"[{_marks()}]{{0,30}}"
    flag = "[\U0001f1e6-\U0001f1ff]"
    char = rf"(?:\r\n|{flag}{flag}|.{mark}(?:(?<={_JOINER})[^\w\s]{mark}){{0,16}})"
    if mode == "char":
        return re.compile(char, re.DOTALL)
    letter = f"[^\\W{_UNSPACED}]"
    letters = f"{letter}{{1,48}}(?:[{_marks()}]{{1,8}}{letter}{{0,48}}){{0,16}}"
    inside = rf"(?:['’](?={letter})|(?<=\d)[.,](?=\d))"
    word = f"{letters}(?:{inside}{letters}){{0,8}}"
    return re.compile(rf"(?:{word}|(?!\s){char})\s{{0,64}}|\s{{1,64}}", re.DOTALL)


def split(text: str, mode: Mode) -> list[str]:
    """The units of a text for "word", "char" or "line"; joined they are the text again.

    Raises ValueError for "token": only the model knows its tokens.
    """
    if mode == "token":
        raise ValueError("tokens cannot be told from the text")
    if mode == "char" and text.isascii() and "\r" not in text:
        return list(text)
    return [match.group() for match in _pattern(mode).finditer(text)]


def core(unit: str, mode: Mode) -> str:
    """The part of a unit that is compared: a word without its spaces, a line without its end."""
    if mode == "word":
        return unit.rstrip()
    if mode == "line":
        return unit.removesuffix("\n").removesuffix("\r")
    return unit


class UnitBuffer:
    """The units of a text that grows; appending costs the new text, not the whole."""

    def __init__(self, mode: Mode) -> None:
        self.mode: Mode = mode
        self.text = ""
        self.ends: list[int] = []
        """Offset at which each unit ends; the last one is the text's length."""
        self._tokens_taken = 0
        self._loose = False

    def append(self, more: str, token_ends: Sequence[int] = ()) -> None:
        """Add text. `token_ends`: in token mode, the ends of all tokens so far, in characters
        of the whole text; a token that adds no text repeats the end before it. Text after the
        last of them is kept as one more unit until its token's end is told."""
        self.text += more
        if self.mode == "token":
            self._append_tokens(token_ends)
            return
        before = len(self.text) - len(more)
        while self.ends and self.ends[-1] + _LOOKAHEAD > before:
            self.ends.pop()
        start = self.offset(len(self.ends))
        self.ends.extend(m.end() for m in _pattern(self.mode).finditer(self.text, start))

    def _append_tokens(self, token_ends: Sequence[int]) -> None:
        if self._loose:
            self.ends.pop()
        length = len(self.text)
        for end in token_ends[self._tokens_taken :]:
            if end > length:
                break
            if end > self.offset(len(self.ends)):
                self.ends.append(end)
            self._tokens_taken += 1
        self._loose = self.offset(len(self.ends)) < length
        if self._loose:
            self.ends.append(length)

    def offset(self, index: int) -> int:
        """Where unit `index` starts, in characters; the text's length for one past the last."""
        return self.ends[index - 1] if index else 0

    def unit(self, index: int) -> str:
        """Unit `index` as it stands."""
        return self.text[self.offset(index) : self.ends[index]]

    def cores(self, first: int, last: int) -> list[tuple[int, str]]:
        """Where each of the units from `first` up to `last` starts, and what is compared of it."""
        text, mode, start = self.text, self.mode, self.offset(first)
        found: list[tuple[int, str]] = []
        for end in self.ends[first:last]:
            found.append((start, core(text[start:end], mode)))
            start = end
        return found

    @property
    def settled(self) -> int:
        """How many of the first units have a core that no further text can change."""
        count, length = len(self.ends), len(self.text)
        if self.mode == "token":
            return count - self._loose
        if self.mode == "line":
            return count - (count > 0 and not self.text.endswith("\n"))
        while count and self.ends[count - 1] + _LOOKAHEAD > length:
            if self.mode == "word" and self.text[self.ends[count - 1] - 1].isspace():
                break
            count -= 1
        return count
