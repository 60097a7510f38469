"""Log-probabilities from rows of logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .protocol import TokenLogprob

Rows = np.ndarray[Any, np.dtype[np.float32]]


def token_logprobs(rows: Rows, tokens: Sequence[int], top: int) -> list[TokenLogprob]:
    """Log-softmax of `rows`, shape (n, n_vocab): for row i that of `tokens[i]` and the `top` likeliest."""
    return [_token_logprob(row, token, top) for row, token in zip(rows, tokens, strict=True)]


def _token_logprob(row: Rows, token: int, top: int) -> TokenLogprob:
    highest = row.max()
    total = float(highest) + float(np.log(np.exp(row - highest).sum(dtype=np.float64)))
    count = min(top, len(row))
    likeliest: list[tuple[int, float]] = []
    if count:
        best = np.sort(np.argpartition(-row, count - 1)[:count])
        best = best[np.argsort(-row[best], kind="stable")]
        likeliest = [(int(i), float(row[i]) - total) for i in best]
    return TokenLogprob(token, float(row[token]) - total, likeliest)
