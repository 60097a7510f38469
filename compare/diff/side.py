"""One of the two texts being compared: its units as numbers, and where its words are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .units import Mode, UnitBuffer, core


def has_word(text: str) -> bool:
    """Whether there is a letter or a digit; the rest is punctuation, signs or space."""
    return any(map(str.isalnum, text))


class Keys:
    """Numbers for what is compared: equal cores have equal numbers, in both texts."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._is_word: list[bool] = []

    def of(self, text: str) -> int:
        """The number of a core, new ones counted up from 0."""
        number = self._numbers.setdefault(text, len(self._is_word))
        if number == len(self._is_word):
            self._is_word.append(has_word(text))
        return number

    def is_word(self, number: int) -> bool:
        """Whether the core with this number `has_word`."""
        return self._is_word[number]


class Side:
    """A growing text. Units are those of `mode`; words are always those of word mode."""

    def __init__(self, mode: Mode, keys: Keys) -> None:
        self._keys = keys
        self.units = UnitBuffer(mode)
        self.numbers: list[int] = []
        """The key of each settled unit."""
        self.words_before: list[int] = [0]
        """How many of the first i settled units are words; one entry more than `numbers`."""
        self.done = False
        self._words = self.units if mode == "word" else UnitBuffer("word")
        self._words_read = 0
        self._word_starts: list[int] = []
        self._word_ends: list[int] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return self.units.text

    def continues(self, text: str, done: bool) -> bool:
        """Whether `text` is this one, grown or not, and a finished one has stayed as it was."""
        if self.done:
            return done and text == self.text
        return text.startswith(self.text)

    def update(self, grown: str, done: bool, token_ends: Sequence[int]) -> None:
        """Take in a text that `continues` this one."""
        more = grown[len(self.text) :]
        self.done = done
        self.units.append(more, token_ends)
        of, is_word = self._keys.of, self._keys.is_word
        own_words = self._words is self.units
        for start, text in self._fresh(self.units, len(self.numbers)):
            number = of(text)
            self.numbers.append(number)
            self.words_before.append(self.words_before[-1] + is_word(number))
            if own_words and is_word(number):
                self._add_word(start, text)
        if not own_words:
            self._words.append(more)
            fresh = self._fresh(self._words, self._words_read)
            self._words_read += len(fresh)
            for start, text in fresh:
                if has_word(text):
                    self._add_word(start, text)

    def _fresh(self, units: UnitBuffer, known: int) -> list[tuple[int, str]]:
        """The cores beyond the first `known` that will not change any more."""
        return units.cores(known, len(units.ends) if self.done else units.settled)

    def _add_word(self, start: int, text: str) -> None:
        self._word_starts.append(start)
        self._word_ends.append(start + len(text))

    def core_size(self, index: int) -> int:
        """How many characters of unit `index` are compared."""
        return len(core(self.units.unit(index), self.units.mode))

    def words_touched(self, start: int, end: int, counted: int) -> tuple[int, int]:
        """How many words overlap `text[start:end]`, and the index after the last of them.

        The first `counted` words have been counted already and are not again.
        """
        first = max(bisect_right(self._word_ends, start), counted)
        after = bisect_left(self._word_starts, end)
        return (after - first, after) if after > first else (0, counted)

    def units_touched(self, start: int, end: int, counted: int) -> tuple[int, int]:
        """As `words_touched`, of units of the side's own mode."""
        first = max(bisect_right(self.units.ends, start), counted)
        after = bisect_left(self.units.ends, end) + 1
        return (after - first, after) if after > first else (0, counted)

    def words_within(self, start: int, end: int) -> list[tuple[int, int]]:
        """Where the words that lie whole in `text[start:end]` start and end."""
        first = bisect_left(self._word_starts, start)
        after = bisect_right(self._word_ends, end)
        return list(zip(self._word_starts[first:after], self._word_ends[first:after], strict=True))
