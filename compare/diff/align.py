"""Which units of two texts correspond: the longest common subsequence, made readable."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .side import Side

LARGE = 400_000_000
"""Pairs of units up to which the longest common subsequence is found, for which rapidfuzz keeps
a bit per pair (50 MB here). Beyond, the Levenshtein alignment is taken: nearly as good, and found
in little memory (Hirschberg)."""

_SURE = 4  # units in a row that correspond by more than chance
_FAR_SLIDE = 200


class Block(NamedTuple):
    """`size` units from `a` on in one text correspond to as many from `b` on in the other."""

    a: int
    b: int
    size: int

    @property
    def end(self) -> tuple[int, int]:
        """The units after the last, in both texts."""
        return self.a + self.size, self.b + self.size


def align(a: Sequence[int], b: Sequence[int], start: tuple[int, int] = (0, 0)) -> list[Block]:
    """The blocks in which two lists of keys correspond, in order, none empty.

    `start` is added to the indices. The time grows with len(a) × len(b) / 64.
    """
    a_from, b_from = start
    shorter = min(len(a), len(b))
    head = 0
    while head < shorter and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    blocks = [Block(a_from, b_from, head)]
    a_left, b_left = a[head : len(a) - tail], b[head : len(b) - tail]
    if a_left and b_left:
        from rapidfuzz.distance import LCSseq, Levenshtein

        method = LCSseq if len(a_left) * len(b_left) <= LARGE else Levenshtein
        blocks += [
            Block(a_from + head + match.a, b_from + head + match.b, match.size)
            for match in method.editops(a_left, b_left).as_matching_blocks()
        ]
    blocks.append(Block(a_from + len(a) - tail, b_from + len(b) - tail, tail))
    return _joined(blocks)


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Without empty blocks, and with those that touch in both texts made one."""
    joined: list[Block] = []
    for block in blocks:
        if joined and block.size:
            last = joined[-1]
            if last.end == (block.a, block.b):
                joined[-1] = Block(last.a, last.b, last.size + block.size)
                continue
        if block.size:
            joined.append(block)
    return joined


def without_weak_end(blocks: Sequence[Block], start: tuple[int, int]) -> list[Block]:
    """Without last blocks that look like chance while the texts still grow.

    A word or two found far further on in one text than in the other would show all that lies
    between as added, until more arrives.
    """
    kept = list(blocks)
    while kept:
        block = kept[-1]
        a_end, b_end = kept[-2].end if len(kept) > 1 else start
        skew = abs((block.a - a_end) - (block.b - b_end))
        if block.size >= _SURE or skew <= 4 * block.size:
            break
        kept.pop()
    return kept


def without_islands(
    blocks: Sequence[Block], a: Side, b: Side, start: tuple[int, int], end: tuple[int, int]
) -> list[Block]:
    """Without small equal blocks inside a larger change, which would only break it up.

    A block of one or two words goes when both changes beside it have at least twice its words,
    punctuation alone when both have any, and text is both removed and added around it. In line
    mode only blank lines and the like go. `start` and `end` are the unit indices in both texts
    between which the blocks lie.
    """
    a_words, b_words = a.words_before, b.words_before
    most = 0 if a.units.mode == "line" else 2
    kept: list[Block] = []
    for index, block in enumerate(blocks):
        kept.append(block)
        after = blocks[index + 1] if index + 1 < len(blocks) else Block(*end, 0)
        while kept:
            a_from, b_from, count = kept[-1]
            a_to, b_to = a_from + count, b_from + count
            size = a_words[a_to] - a_words[a_from]
            if size > most or count > 3 * _SURE:
                break
            a_before, b_before = kept[-2].end if len(kept) > 1 else start
            removed_left = a_words[a_from] - a_words[a_before]
            added_left = b_words[b_from] - b_words[b_before]
            removed_right = a_words[after.a] - a_words[a_to]
            added_right = b_words[after.b] - b_words[b_to]
            least = max(1, 2 * size)
            if (
                max(removed_left, added_left) < least
                or max(removed_right, added_right) < least
                or removed_left + removed_right < least
                or added_left + added_right < least
            ):
                break
            kept.pop()
    return kept


def slid(blocks: Sequence[Block], a: Side, b: Side) -> list[Block]:
    """With pure insertions and deletions moved to where a reader would put them.

    Between "A cat. A dog." and "A cat. A bird. A dog." both "bird. A " and "A bird. " can be
    the insertion; the one that starts after the end of a line, sentence or clause is taken.
    """
    blocks = list(blocks)
    for index in range(len(blocks) - 1):
        left, right = blocks[index], blocks[index + 1]
        a_end, b_end = left.end
        if (a_end == right.a) == (b_end == right.b):
            continue
        side, first, last = (a, a_end, right.a) if b_end == right.b else (b, b_end, right.b)
        whole = index == 0 and (left.a, left.b) == (0, 0)
        shift = _best_shift(
            side, first, last, left.size if whole else left.size - 1, right.size - 1
        )
        blocks[index] = Block(left.a, left.b, left.size + shift)
        blocks[index + 1] = Block(right.a + shift, right.b + shift, right.size - shift)
    return [block for block in blocks if block.size]


def _best_shift(side: Side, first: int, last: int, back: int, forth: int) -> int:
    """By how many units to move the change `first` to `last` within one text."""
    numbers, units = side.numbers, side.units
    best, best_score = 0, _boundary(units.unit, first)
    for step in range(1, min(back, _FAR_SLIDE) + 1):
        if numbers[first - step] != numbers[last - step]:
            break
        score = _boundary(units.unit, first - step)
        if score > best_score:
            best, best_score = -step, score
    for step in range(1, min(forth, _FAR_SLIDE) + 1):
        if numbers[first + step - 1] != numbers[last + step - 1]:
            break
        score = _boundary(units.unit, first + step)
        if score > best_score:
            best, best_score = step, score
    return best


def _boundary(unit: Callable[[int], str], index: int) -> int:
    """How natural it is to start a change at a unit: 3 on a new line, 2 after a sentence."""
    before = unit(index - 1) if index else "\n"
    if "\n" in before:
        return 3
    mark = before.rstrip()[-1:]
    return 2 if mark in tuple(".!?。！？") else 1 if mark in tuple(",;:，；：") else 0


def cut_path(
    blocks: Sequence[Block], start: tuple[int, int], end: tuple[int, int], left: int
) -> tuple[int, int]:
    """Where to fix the beginning of an alignment so that about `left` units of both together
    stay open: the unit indices in both texts.

    Preferred is a place in the last sure block before that, if it leaves at most half as many
    units again; otherwise the place itself.
    """

    def open_units(point: tuple[int, int]) -> int:
        return end[0] - point[0] + end[1] - point[1]

    path = [start]
    for block in blocks:
        path += [(block.a, block.b), block.end]
    path.append(end)
    reached = bisect_right(path, -left, key=lambda point: -open_units(point)) - 1
    here, following = path[reached], path[min(reached + 1, len(path) - 1)]
    excess = open_units(here) - left
    if reached % 2:  # inside a block: both texts advance together
        here = (here[0] + excess // 2, here[1] + excess // 2)
    else:
        span = max(1, open_units(here) - open_units(following))
        here = (
            here[0] + excess * (following[0] - here[0]) // span,
            here[1] + excess * (following[1] - here[1]) // span,
        )
    for block in reversed(blocks[: (reached + 1) // 2]):
        size = min(block.size, here[0] - block.a)
        if size >= _SURE:
            sure = (block.a + size, block.b + size)
            return sure if open_units(sure) <= left + left // 2 else here
    return here


def split_blocks(blocks: Sequence[Block], cut: tuple[int, int]) -> tuple[list[Block], list[Block]]:
    """The blocks before and after a point of `cut_path`; the one it lies in is divided."""
    before: list[Block] = []
    after: list[Block] = []
    for block in blocks:
        size = max(0, min(block.size, cut[0] - block.a, cut[1] - block.b))
        before.append(Block(block.a, block.b, size))
        after.append(Block(block.a + size, block.b + size, block.size - size))
    return _joined(before), _joined(after)
