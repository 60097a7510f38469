"""Where two sequences part for the first time."""

from __future__ import annotations

from collections.abc import Sequence


def first_token_divergence(a: Sequence[int], b: Sequence[int]) -> int | None:
    """Index of the first token at which two outputs part, or None when they are equal.

    Where one is the beginning of the other it is the shorter one's length.
    """
    for index, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return index
    return None if len(a) == len(b) else min(len(a), len(b))


def char_divergence(a: str, b: str, start: int = 0) -> int | None:
    """Offset of the first character at which two texts part, or None when they are equal.

    Where one is the beginning of the other it is the shorter one's length. The first `start`
    characters are taken as equal.
    """
    low, high = start, min(len(a), len(b))
    if a[low:high] == b[low:high]:
        return None if len(a) == len(b) else high
    while high - low > 1:  # the difference lies in [low, high)
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low
