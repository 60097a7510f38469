"""From corresponding units to stretches of identical characters, and from those to spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from .align import Block, align
from .result import Span
from .side import Side
from .units import split

REFINED = 1_000_000
"""Pairs of characters up to which a change is compared character by character. A larger change
stays whole words: nobody reads single letters in it."""


class Region(NamedTuple):
    """`size` characters from `a` on in one text are those from `b` on in the other."""

    a: int
    b: int
    size: int

    @property
    def a_end(self) -> int:
        return self.a + self.size

    @property
    def b_end(self) -> int:
        return self.b + self.size


def regions_of(blocks: Iterable[Block], a: Side, b: Side) -> list[Region]:
    """The identical text of corresponding units: all of it, or their cores."""
    regions: list[Region] = []
    for block in blocks:
        whole = _identical(block.a, block.b, block.size, a, b)
        if whole:
            regions.append(whole)
            continue
        for step in range(block.size):
            left, right = block.a + step, block.b + step
            regions.append(
                _identical(left, right, 1, a, b)
                or Region(a.units.offset(left), b.units.offset(right), a.core_size(left))
            )
    return [region for region in regions if region.size]


def _identical(left: int, right: int, count: int, a: Side, b: Side) -> Region | None:
    a_start, a_end = a.units.offset(left), a.units.offset(left + count)
    b_start, b_end = b.units.offset(right), b.units.offset(right + count)
    if a.text[a_start:a_end] != b.text[b_start:b_end]:
        return None
    return Region(a_start, b_start, a_end - a_start)


def tidy(regions: Sequence[Region], a: Side, b: Side, *, refine: bool) -> list[Region]:
    """The regions with the changes between them made as small as a reader expects.

    Whitespace that two sides of a change share at its ends is part of the regions beside it;
    with `refine`, so are the characters that they share. Regions that touch become one. The
    first region keeps its start, the last its end.
    """
    tidied = [regions[0]]
    for upper in regions[1:]:
        lower = tidied[-1]
        a_gap, b_gap = a.text[lower.a_end : upper.a], b.text[lower.b_end : upper.b]
        inner: list[Region] = []
        if a_gap and b_gap:
            lead, trail = _shared_space(a_gap, b_gap, a.units.mode)
            lower = lower._replace(size=lower.size + lead)
            upper = Region(upper.a - trail, upper.b - trail, upper.size + trail)
            tidied[-1] = lower
            if refine:
                shared = _shared_characters(
                    a_gap[lead : len(a_gap) - trail], b_gap[lead : len(b_gap) - trail]
                )
                inner = [Region(lower.a_end + r.a, lower.b_end + r.b, r.size) for r in shared]
        for region in (*inner, upper):
            last = tidied[-1]
            if last.a_end == region.a and last.b_end == region.b:
                tidied[-1] = last._replace(size=last.size + region.size)
            else:
                tidied.append(region)
    return tidied


def _shared_space(a_gap: str, b_gap: str, mode: str) -> tuple[int, int]:
    """How many characters of whitespace both begin with, and both end with.

    Tokens are not taken apart, and lines only where one side is nothing but whitespace.
    """
    if mode == "token" or (mode == "line" and not (a_gap.isspace() or b_gap.isspace())):
        return 0, 0
    limit = min(len(a_gap), len(b_gap))
    lead = 0
    while lead < limit and a_gap[lead] == b_gap[lead] and a_gap[lead].isspace():
        lead += 1
    trail = 0
    while (
        trail < limit - lead
        and a_gap[-1 - trail] == b_gap[-1 - trail]
        and a_gap[-1 - trail].isspace()
    ):
        trail += 1
    return lead, trail


@lru_cache(maxsize=1024)  # while streaming the same changes come again at every arrival
def _shared_characters(a: str, b: str) -> tuple[Region, ...]:
    """What two differing texts share, character by character; nothing when that is little.

    A shared run inside stays only where it is longer than the change on one of its sides, or
    else the letters that any two words have in common would be all that one sees.
    """
    if not a or not b or len(a) * len(b) > REFINED:
        return ()
    a_chars, b_chars = split(a, "char"), split(b, "char")
    numbers: dict[str, int] = {}
    a_keys, b_keys = (
        [numbers.setdefault(char, len(numbers)) for char in chars] for chars in (a_chars, b_chars)
    )
    blocks = align(a_keys, b_keys)
    ends = len(a_chars), len(b_chars)
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        kept.append(block)
        after = blocks[index + 1] if index + 1 < len(blocks) else Block(*ends, 0)
        while kept:
            last = kept[-1]
            before = kept[-2] if len(kept) > 1 else Block(0, 0, 0)
            left = max(last.a - before.a, last.b - before.b) - before.size
            right = max(after.a - last.a, after.b - last.b) - last.size
            if not left or not right or last.size > min(left, right):
                break
            kept.pop()
    if 2 * sum(block.size for block in kept) < max(ends):
        return ()
    a_offsets = list(accumulate(map(len, a_chars), initial=0))
    b_offsets = list(accumulate(map(len, b_chars), initial=0))
    starts = [(a_offsets[block.a], b_offsets[block.b]) for block in kept]
    ends_in_a = [a_offsets[block.a + block.size] for block in kept]
    return tuple(Region(*at, end - at[0]) for at, end in zip(starts, ends_in_a, strict=True))


def spans_of(regions: Sequence[Region]) -> list[Span]:
    """The regions and the changes between them as spans in reading order."""
    spans = _equal(regions[0])
    for lower, upper in pairwise(regions):
        spans += changed(lower.a_end, upper.a, lower.b_end, upper.b)
        spans += _equal(upper)
    return spans


def _equal(region: Region) -> list[Span]:
    if not region.size:
        return []
    return [Span("equal", region.a, region.a_end, region.b, region.b_end)]


def changed(a_start: int, a_end: int, b_start: int, b_end: int) -> list[Span]:
    """What was removed, then what was added, where there is any."""
    spans: list[Span] = []
    if a_start < a_end:
        spans.append(Span("removed", a_start, a_end, b_start, b_start))
    if b_start < b_end:
        spans.append(Span("added", a_end, a_end, b_start, b_end))
    return spans
