"""What the bare loop can be asked, and what it answers."""

from __future__ import annotations

import msgspec

N_UBATCH = 512
"""Tokens computed at once, llama.cpp's default."""
N_CTX = 4096
"""Tokens of a sequence's context, or as many as the model was trained for."""
NEVER = -1e5
"""Added to the logits of tokens that would end a text, to rule them out."""


class Prefill(msgspec.Struct, frozen=True, tag=True):
    """Compute a prompt in chunks of these sizes, each a call; `keep` positions are there already.

    What is kept is the start of the prompt computed before.
    """

    chunks: list[int]
    keep: int = 0


class Decode(msgspec.Struct, frozen=True, tag=True):
    """Sample `tokens` tokens in each of `sequences`, which decode as one batch.

    Each begins with `depth` prompt tokens, which are not timed.
    """

    tokens: int
    sequences: int = 1
    depth: int = 0


Job = Prefill | Decode


class Ready(msgspec.Struct, frozen=True):
    """The model is loaded. `ends` are the tokens that end a text."""

    n_vocab: int
    ends: list[int]


class Took(msgspec.Struct, frozen=True):
    """Tokens computed or sampled, over all sequences, and the seconds they took."""

    tokens: int
    seconds: float


def even_chunks(count: int) -> list[int]:
    """A prompt of `count` tokens as llama-bench computes it: full batches, then the rest."""
    sizes = [N_UBATCH] * (count // N_UBATCH)
    return [*sizes, count % N_UBATCH] if count % N_UBATCH else sizes
