"""How a prompt is cut into prefill chunks, and which chunks of a cached one can serve it.

llama.cpp's CPU kernels give the same bits only for the same work, so a prompt
is always computed in the same pieces: whole chunks of `GRID` positions, then
`TAIL`-sized ones. A cached chunk is reused only when the new prompt would cut
exactly there and hold the same tokens up to its end; the bits are then those
of a cold run.
"""

from __future__ import annotations

from collections.abc import Sequence

GRID = 256
TAIL = 32


def plan(length: int) -> list[int]:
    """The ends of the chunks of a prompt of `length` tokens, ascending; the last is `length`."""
    whole = length // GRID * GRID
    ends = list(range(GRID, whole + 1, GRID))
    ends += range(whole + TAIL, length, TAIL)
    if not ends or ends[-1] != length:
        ends.append(length)
    return ends


def reusable(cached: Sequence[int], cached_ends: Sequence[int], tokens: Sequence[int]) -> int:
    """How many leading positions of a cached prompt serve `tokens`: 0 or a chunk end.

    The last chunk of `tokens` is never reused: its logits are needed.
    """
    best = 0
    ends = plan(len(tokens))
    for old, new in zip(cached_ends, ends[:-1], strict=False):
        if old != new or cached[best:old] != tokens[best:old]:
            break
        best = old
    return best
