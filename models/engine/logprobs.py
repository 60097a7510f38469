"""Log-probabilities from rows of logits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .protocol import TokenLogprob

Rows = np.ndarray[Any, np.dtype[np.float32]]


def token_logprobs(rows: Rows, tokens: Sequence[int], top: int) -> list[TokenLogprob]:
    """Log-softmax of `rows`, shape (n, n_vocab): for row i that of `tokens[i]` and the `top` likeliest."""
    return [_token_logprob(row, token, top) for row, token in zip(rows, tokens, strict=True)]


def _token_logprob(row: Rows, token: int, top: int) -> TokenLogprob:
    own, highest = float(row[token]), row.max()
    weights = np.exp(row - highest)
    whole = float(weights.sum(dtype=np.float64))
    total = float(highest) + math.log(whole)
    entropy = total - float(np.dot(weights.astype(np.float64), row)) / whole
    count = min(top, len(row))
    likeliest: list[tuple[int, float]] = []
    if count:
        best = np.sort(np.argpartition(-row, count - 1)[:count])
        best = best[np.argsort(-row[best], kind="stable")]
        likeliest = [(int(i), float(row[i]) - total) for i in best]
    rank = 1 + int(np.count_nonzero(row > own))
    return TokenLogprob(token, own - total, rank, max(0.0, entropy), likeliest)
