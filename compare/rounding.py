"""What is rounding in a lens: how far its numbers move when they are computed once more."""

from __future__ import annotations

from collections.abc import Mapping

from .lens import Lens, score_after
from .runner import Runner

MOST = 512
"""Tokens that are scored once more: the last ones, where rounding is largest."""


async def rounding(
    runner: Runner, lens: Lens, values: Mapping[str, str], *, exact: bool = False
) -> float:
    """By how many nats `delta` of a token moves at most, between two ways of computing it.

    The second half of the text, or its end (`MOST`), is scored again, cut into other pieces, under
    both variants; the largest changes of either are added up. 0 for a single token, and where the
    backend is exact. Raises as `look`.
    """
    tokens = [it.token for it in lens.tokens]
    start = max(len(tokens) // 2, len(tokens) - MOST)
    if not start:
        return 0.0
    moved = 0.0
    for variant, turn, seen in (
        (lens.a, lens.turns[0], [it.a.logprob for it in lens.tokens[start:]]),
        (lens.b, lens.turns[1], [it.b.logprob for it in lens.tokens[start:]]),
    ):
        ready = await runner.prepare(variant, values, output=turn)
        (again,) = await score_after(
            runner, ready, variant, tokens[:start], [tokens[start:]], exact=exact
        )
        moved += max(abs(it.logprob - was) for it, was in zip(again, seen, strict=True))
    return moved
