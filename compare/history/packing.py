"""Tokens and log-probabilities as small blobs, and other values as columns."""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from ...models.engine.protocol import TokenLogprob


def now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def moment(milliseconds: int) -> datetime:
    """The time, in UTC, of milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def pack_tokens(tokens: Sequence[int]) -> bytes:
    """Token ids as a msgpack list: 1 to 5 bytes each."""
    return msgspec.msgpack.encode(list(tokens))


def unpack_tokens(blobs: Sequence[bytes]) -> list[int]:
    """The ids of blobs that follow one another."""
    return [token for blob in blobs for token in msgspec.msgpack.decode(blob, type=list[int])]


def pack_ends(ends: Sequence[int], start: int = 0) -> bytes:
    """Where tokens end, as a msgpack list of their lengths; `start` is the end before the first."""
    befores = [start, *ends[:-1]] if ends else []
    return pack_tokens([end - before for end, before in zip(ends, befores, strict=True)])


def unpack_ends(blobs: Sequence[bytes]) -> list[int]:
    """The ends in blobs that follow one another."""
    return list(accumulate(unpack_tokens(blobs)))


class _Logprobs(msgspec.Struct, array_like=True):
    """Parallel lists: tokens, their ranks, how many alternatives each has, all of these; numbers as
    doubles, little-endian: a token's log-probability, its entropy, and those of its alternatives."""

    tokens: list[int]
    ranks: list[int]
    counts: list[int]
    top: list[int]
    numbers: bytes


def pack_logprobs(logprobs: Sequence[TokenLogprob]) -> bytes | None:
    """Log-probabilities, exactly; None when there are none."""
    if not logprobs:
        return None
    numbers = array(
        "d", [n for it in logprobs for n in (it.logprob, it.entropy, *(p for _, p in it.top))]
    )
    return msgspec.msgpack.encode(
        _Logprobs(
            [it.token for it in logprobs],
            [it.rank for it in logprobs],
            [len(it.top) for it in logprobs],
            [token for it in logprobs for token, _ in it.top],
            _little(numbers).tobytes(),
        )
    )


def unpack_logprobs(blobs: Sequence[bytes | None]) -> list[TokenLogprob]:
    """The log-probabilities of blobs that follow one another."""
    found: list[TokenLogprob] = []
    for blob in filter(None, blobs):
        it = msgspec.msgpack.decode(blob, type=_Logprobs)
        numbers, top = iter(_little(array("d", it.numbers))), iter(it.top)
        for token, rank, count in zip(it.tokens, it.ranks, it.counts, strict=True):
            logprob, entropy = next(numbers), next(numbers)
            alternatives = [(next(top), next(numbers)) for _ in range(count)]
            found.append(TokenLogprob(token, logprob, rank, entropy, alternatives))
    return found


def _little(numbers: array[float]) -> array[float]:
    import sys

    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def to_json(value: object) -> str:
    """Plain data as JSON in ASCII, which also holds what is no UTF-8."""
    return json.dumps(msgspec.to_builtins(value, str_keys=True), separators=(",", ":"))


def from_json(text: str) -> Any:
    return json.loads(text)


def string_map(value: Mapping[str, object]) -> dict[str, str]:
    return {key: str(text) for key, text in value.items()}


def path_out(path: Path | None) -> bytes | None:
    """A path as its bytes, which need not be UTF-8."""
    return None if path is None else os.fsencode(path)


def path_in(path: bytes | None) -> Path | None:
    return None if path is None else Path(os.fsdecode(path))


def clean(text: str) -> str:
    """The text, with halves of characters replaced, which the database cannot hold."""
    return text.encode("utf-8", "replace").decode()
