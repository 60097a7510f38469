"""Which removed and added words are the same ones in another place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from .result import Span
from .side import Side

LEAST_WORDS = 5
LEAST_LETTERS = 20
"""A move has at least so many words, with at least so many characters: fewer are a turn of phrase
that two texts share by chance."""

_TRIED = 16  # places tried for a run of words that stands in many


class _Run(NamedTuple):
    """`size` words from `a` on in the removed words, and from `b` on in the added ones; the
    longest first in order."""

    minus_size: int
    a: int
    b: int

    @property
    def size(self) -> int:
        return -self.minus_size


@dataclass
class _Words:
    """The words that lie whole in spans of one kind, and what stands between them."""

    starts: list[int]
    ends: list[int]
    span: list[int]
    """For each word the index of its span."""
    texts: list[str]
    text: str
    """The whole text that the words are of."""

    def follows_as(self, index: int, other: _Words, there: int) -> bool:
        """Whether a word stands in the same span as the one before, with the same between and
        after as another word elsewhere."""
        return (
            self.texts[index] == other.texts[there]
            and self.span[index] == self.span[index - 1]
            and other.span[there] == other.span[there - 1]
            and self.text[self.ends[index - 1] : self.starts[index]]
            == other.text[other.ends[there - 1] : other.starts[there]]
        )

    def is_first(self, index: int) -> bool:
        """Whether a word is the first of its span."""
        return index == 0 or self.span[index - 1] != self.span[index]


def with_moves(spans: Sequence[Span], a: Side, b: Side) -> list[Span]:
    """The spans of two finished texts with those of words that were only moved marked so.

    Removed and added spans are divided where a move begins or ends. A move is the same characters
    on both sides, does not go over the end of a change, and none overlaps another; the longest
    ones are found first.
    """
    removed, added = _words(spans, "removed", a), _words(spans, "added", b)
    cuts: dict[int, list[tuple[int, int, int]]] = {}
    for run in _chosen(removed, added):
        from_span, to_span = spans[removed.span[run.a]], spans[added.span[run.b]]
        a_start, b_start = removed.starts[run.a], added.starts[run.b]
        a_end, b_end = removed.ends[run.a + run.size - 1], added.ends[run.b + run.size - 1]
        if removed.is_first(run.a) and added.is_first(run.b):
            while (
                a_start > from_span.a_start
                and b_start > to_span.b_start
                and a.text[a_start - 1] == b.text[b_start - 1]
            ):
                a_start, b_start = a_start - 1, b_start - 1
        a_limit = _limit(removed, run.a + run.size, from_span.a_end)
        b_limit = _limit(added, run.b + run.size, to_span.b_end)
        while a_end < a_limit and b_end < b_limit and a.text[a_end] == b.text[b_end]:
            a_end, b_end = a_end + 1, b_end + 1
        cuts.setdefault(removed.span[run.a], []).append((a_start, a_end, b_start))
        cuts.setdefault(added.span[run.b], []).append((b_start, b_end, a_start))
    if not cuts:
        return list(spans)
    divided: list[Span] = []
    for index, span in enumerate(spans):
        divided += _divided(span, sorted(cuts[index])) if index in cuts else [span]
    return divided


def _words(spans: Sequence[Span], kind: str, side: Side) -> _Words:
    words = _Words([], [], [], [], side.text)
    for index, span in enumerate(spans):
        if span.kind == kind:
            bounds = (span.a_start, span.a_end) if kind == "removed" else (span.b_start, span.b_end)
            for start, end in side.words_within(*bounds):
                words.starts.append(start)
                words.ends.append(end)
                words.span.append(index)
                words.texts.append(side.text[start:end])
    return words


def _limit(words: _Words, index: int, end: int) -> int:
    """Where the word `index` starts, if it comes before `end`."""
    return min(end, words.starts[index]) if index < len(words.starts) else end


def _chosen(removed: _Words, added: _Words) -> list[_Run]:
    """The moves, none overlapping another."""
    heap = _candidates(removed, added)
    heapify(heap)
    a_taken, b_taken = bytearray(len(removed.texts)), bytearray(len(added.texts))
    chosen: list[_Run] = []
    while heap:
        run = heappop(heap)
        free = _free(run, a_taken, b_taken)
        if free == [run]:
            chosen.append(run)
            ones = b"\x01" * run.size
            a_taken[run.a : run.a + run.size] = b_taken[run.b : run.b + run.size] = ones
            continue
        for part in free:
            if _long_enough(part, added):
                heappush(heap, part)
    return chosen


def _free(run: _Run, a_taken: bytearray, b_taken: bytearray) -> list[_Run]:
    """The parts of a run that no other one has taken."""
    parts: list[_Run] = []
    start = 0
    for step in range(run.size + 1):
        if step == run.size or a_taken[run.a + step] or b_taken[run.b + step]:
            if step > start:
                parts.append(_Run(start - step, run.a + start, run.b + start))
            start = step + 1
    return parts


def _candidates(removed: _Words, added: _Words) -> list[_Run]:
    """Every longest run of the same words in both."""
    shared = set(_beginnings(removed)) & set(_beginnings(added))
    if not shared:
        return []
    places: dict[tuple[str, ...], list[int]] = {words: [] for words in shared}
    for index, words in enumerate(_beginnings(removed)):
        if words in shared and len(places[words]) < _TRIED:
            places[words].append(index)
    found: list[_Run] = []
    for index, words in enumerate(_beginnings(added)):
        for place in places.get(words, ()):
            run = _run(removed, added, place, index)
            if run is not None and _long_enough(run, added):
                found.append(run)
    return found


def _beginnings(words: _Words) -> Iterator[tuple[str, ...]]:
    """From each word on, as many as a move has at least."""
    return zip(*(words.texts[step:] for step in range(LEAST_WORDS)), strict=False)


def _run(removed: _Words, added: _Words, a: int, b: int) -> _Run | None:
    """The run that starts here; None when it starts before."""
    if a and b and removed.texts[a - 1] == added.texts[b - 1] and removed.follows_as(a, added, b):
        return None
    most = min(len(removed.texts) - a, len(added.texts) - b)
    size = 1
    while size < most and removed.follows_as(a + size, added, b + size):
        size += 1
    return _Run(-size, a, b)


def _long_enough(run: _Run, added: _Words) -> bool:
    letters = sum(map(len, added.texts[run.b : run.b + min(run.size, LEAST_LETTERS)]))
    return run.size >= LEAST_WORDS and letters >= LEAST_LETTERS


def _divided(span: Span, cuts: Sequence[tuple[int, int, int]]) -> list[Span]:
    """A span with the stretches that were moved as spans of their own."""
    parts: list[Span] = []
    at, end = (span.a_start, span.a_end) if span.kind == "removed" else (span.b_start, span.b_end)

    def add(start: int, stop: int, moved: int | None) -> None:
        if start == stop:
            return
        if span.kind == "removed":
            parts.append(replace(span, a_start=start, a_end=stop, moved=moved))
        else:
            parts.append(replace(span, b_start=start, b_end=stop, moved=moved))

    for start, stop, other in cuts:
        add(at, start, None)
        add(start, stop, other)
        at = stop
    add(at, end, None)
    return parts
