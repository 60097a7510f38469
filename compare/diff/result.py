"""What a diff says: spans over both texts, and the figures shown beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["equal", "added", "removed", "ahead"]
Look = Literal["equal", "added", "removed", "ahead", "left", "arrived"]
"""How a span is shown: "left" is removed here and stands elsewhere, "arrived" stood elsewhere."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of both texts, in character offsets: `a[a_start:a_end]`, `b[b_start:b_end]`.

    - `equal`: the two stretches are the same text.
    - `removed`: only in `a`; the stretch of `b` is empty. Comes before the `added` it pairs with.
    - `added`: only in `b`; the stretch of `a` is empty.
    - `ahead`: not compared yet, because the other text has not got that far, or because its
      last word is unfinished. Only the end of an unfinished comparison is ahead, first that
      of `a`, then that of `b`.

    Where case or white space is ignored, equal stretches may differ in these.
    """

    kind: Kind
    a_start: int
    a_end: int
    b_start: int
    b_end: int
    moved: int | None = None
    """Where the same words stand in the other text, of a removed or added stretch that was only
    moved; known once both texts are finished."""

    @property
    def look(self) -> Look:
        """How it is shown."""
        if self.moved is None:
            return self.kind
        return "left" if self.kind == "removed" else "arrived"


@dataclass(frozen=True, slots=True)
class Diff:
    """How `b` differs from the baseline `a`."""

    spans: tuple[Span, ...]
    """In order, without holes or overlaps, over the whole of both texts."""
    first_divergence: int | None
    """Offset of the first differing character, the same in both texts; None if none is known.
    The first changed span can start before it: it holds whole words, and may have been moved to
    where a sentence begins."""
    words_added: int
    """Words of `b` touched by an added span that was not moved; words as in word mode, whatever
    the mode."""
    words_removed: int
    """Words of `a` touched by a removed span that was not moved."""
    words_moved: int
    """Words that stand elsewhere in `b` than in `a`, counted once."""
    added: int
    """As `words_added`, but units of the mode: words, characters, lines or tokens."""
    removed: int
    moved: int
    similarity: float
    """0 to 1: 2 × characters in equal spans / characters of both texts, those ahead left out
    (the ratio of Ratcliff and Obershelp, as in difflib). 1.0 when nothing was compared yet."""
    equal: bool
    """The texts are identical and both are finished."""
    complete: bool
    """Both texts are finished."""


def same_start(old: Sequence[object], new: Sequence[object]) -> int:
    """How many of the first items of two lists are the very same objects.

    Found by bisection: what is known to be fixed is taken over from list to list as it is.
    """
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[middle - 1] is new[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low
