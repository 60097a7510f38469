"""How a prompt is cut into prefill chunks, and which chunks of a cached one can serve it.

llama.cpp's CPU kernels give the same bits only for the same work, so a prompt
is always computed in the same pieces: as many of 256 positions as fit, then of
64, then of 16. A cached chunk is reused only when the new prompt would cut
exactly there and hold the same tokens up to its end; the bits are then those
of a cold run. The sizes were found by measurement (docs/engine.md): from
64 on flash attention works in tiles, and an edit at the end computes 16 again.
"""

from __future__ import annotations

from collections.abc import Sequence

SIZES = (256, 64, 16)
LARGEST = SIZES[0]


def plan(length: int) -> list[int]:
    """The ends of the chunks of a prompt of `length` tokens, ascending; the last is `length`.

    The last chunk holds 1 to 16 tokens.
    """
    ends: list[int] = []
    at = 0
    for size in SIZES:
        while length - at > size:
            at += size
            ends.append(at)
    return [*ends, length]


def score_rows(n_vocab: int) -> int:
    """How many positions of a text are scored at once.

    Their logits take 4 bytes × n_vocab each, once in the compute buffer and once in the output
    buffer of every context: a power of two that keeps each under 16 MiB, from 16 to 128.
    """
    fitting = 2**24 // (4 * max(n_vocab, 1))
    return min(128, max(16, 1 << max(fitting, 1).bit_length() - 1))


def score_plan(start: int, length: int, rows: int) -> tuple[list[int], list[int]]:
    """Chunk ends for scoring `tokens[start:]` of a text of `length` tokens, in two parts.

    The first part is what a generation from `tokens[:start]` computes too, without its last chunk;
    the second yields logits, `rows` positions at a time. The last token needs no computing.
    """
    head = plan(start)[:-1]
    begin = head[-1] if head else 0
    return head, [*range(begin + rows, length - 1, rows), length - 1]


def reusable(
    cached: Sequence[int], cached_ends: Sequence[int], tokens: Sequence[int], ends: Sequence[int]
) -> int:
    """How many leading positions of a cached prompt serve `tokens`, cut at `ends`: 0 or one of them."""
    best = 0
    for old, new in zip(cached_ends, ends, strict=False):
        if old != new or cached[best:old] != tokens[best:old]:
            break
        best = old
    return best
