"""Refuse what llama.cpp loads and then ends the process over: types, numbers and words.

Each rule was found by trying it on the llama.cpp in llama-cpp-python 0.3.36, as
tests/models/test_mutations.py does.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ModelError
from .architectures import EQUAL_LENGTHS, SQUARE_QUERIES, UNROTATED, WHOLE_HEADS
from .header import Header, TensorInfo

NEVER_WEIGHTS = frozenset({"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"})
"""Types that matrices cannot be multiplied with: they are for intermediate results and tables."""

MIN_CONTEXT = 8
MAX_EXPERTS = 1024
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
_EXPERT_NUMBERS = ("count", "used_count", "group_count", "group_used_count")
MAX_VOCABULARY = 2_000_000
MAX_TOKENS = 128 << 20
"""Tokens, and bytes that they may take, as much as a header."""

_TABLES = ("tid2eid",)
_MATRICES_OF_ONE_ROW = ("ffn_gate_inp",)
TOKENS = "tokenizer.ggml.tokens"


def refuse_type(header: Header, tensor: TensorInfo) -> None:
    """Raise ModelError when a model's weight is of a type that it cannot be computed with."""
    if any(table in tensor.name for table in _TABLES):
        return
    vector = len(tensor.shape) < 2 and not any(it in tensor.name for it in _MATRICES_OF_ONE_ROW)
    if tensor.type_name in NEVER_WEIGHTS or (vector and tensor.type_name != "F32"):
        raise ModelError(
            f"{header.path} has {tensor.name} as {tensor.type_name}, which llama.cpp cannot "
            "compute with; convert the model again."
        )


@dataclass(frozen=True)
class Attention:
    """Heads of the widest layer, KV heads of each layer, and elements of a key and of a value."""

    heads: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int


def refuse_attention(
    header: Header,
    architecture: str,
    embedding: int,
    attention: Attention,
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise ModelError when a model's heads do not fit each other, its embedding or weights."""
    heads, key_length = attention.heads, attention.key_length
    if not heads:
        if any(name.endswith((".attn_q.weight", ".attn_qkv.weight")) for name in shapes):
            raise _claims(header, "no attention heads and has weights for them")
        return
    if isinstance(header.metadata.get(f"{architecture}.attention.head_count"), int):
        for kv_heads in attention.kv_heads:
            if kv_heads and heads % kv_heads:
                raise _claims(header, f"{heads:,} heads that share {kv_heads:,} keys")
    if architecture in SQUARE_QUERIES and heads * key_length != embedding:
        raise _claims(header, f"{heads:,} heads of {key_length:,} in an embedding of {embedding:,}")
    if architecture in EQUAL_LENGTHS and key_length != attention.value_length:
        raise _claims(header, f"keys of {key_length:,} and values of {attention.value_length:,}")
    for kind in ("", "_swa"):
        turned = header.metadata.get(f"{architecture}.rope.dimension_count{kind}")
        length = header.metadata.get(f"{architecture}.attention.key_length{kind}", key_length)
        if not isinstance(turned, int) or not isinstance(length, int):
            continue
        whole = architecture in WHOLE_HEADS and not kind
        none = turned == 0 and architecture in UNROTATED
        if not none and (turned % 2 or not (length if whole else 1) <= turned <= length):
            raise _claims(header, f"to rotate {turned:,} of the {length:,} elements of a head")


def refuse_numbers(header: Header, architecture: str, layers: int) -> None:
    """Raise ModelError when one of a model's numbers is outside of what llama.cpp can bear."""

    def number(name: str) -> int | None:
        value = header.metadata.get(f"{architecture}.{name}")
        if isinstance(value, tuple):
            return max((it for it in value if isinstance(it, int)), default=None)
        return value if isinstance(value, int) else None

    context = number("context_length")
    if context is not None and context < MIN_CONTEXT:
        raise _claims(header, f"a context of {context:,} tokens")
    if (number("nextn_predict_layers") or 0) > layers:
        raise _claims(
            header, f"{number('nextn_predict_layers'):,} layers of {layers} to look ahead"
        )
    scaling = header.metadata.get(f"{architecture}.rope.scaling.type")
    if scaling is not None and scaling not in ROPE_SCALINGS:
        raise _claims(header, f"a rotary scaling called {scaling!r}")
    _refuse_experts(header, *(number(f"expert_{name}") or 0 for name in _EXPERT_NUMBERS))
    for key, value in header.metadata.items():
        if not key.endswith("_epsilon") or not isinstance(value, float):
            continue
        if not (math.isfinite(value) and value >= 0):
            raise _claims(header, f"{value} as {key}")


def _refuse_experts(header: Header, count: int, used: int, groups: int, groups_used: int) -> None:
    sound = count <= MAX_EXPERTS and used <= count and bool(used) == bool(count)
    if groups:
        sound = sound and groups < count
    if groups > 1:
        sound = sound and count % groups == 0 and 0 < groups_used < groups
    if not sound:
        raise _claims(header, f"{count:,} experts of which {used:,} are used, in {groups:,} groups")


def _claims(header: Header, what: str) -> ModelError:
    return ModelError(f"{header.path} claims {what}; fetch or convert the model again.")


def refuse_repeated_tokens(header: Header, count: int) -> None:
    """Raise ModelError when two of a vocabulary's `count` tokens are spelled the same."""
    if count > MAX_VOCABULARY:
        raise ModelError(
            f"{header.path} claims {count:,} tokens, more than any vocabulary; fetch it again."
        )
    start = header.array_at(TOKENS)
    end = min(header.file_size, header.data_offset or header.file_size)
    with header.path.open("rb") as file:
        file.seek(start)
        block = file.read(min(end - start, MAX_TOKENS))
    length_at = struct.Struct("<Q").unpack_from
    words: set[bytes] = set()
    position = empty = 0
    for _ in range(count):
        after = position + 8 + length_at(block, position)[0]
        word = block[position + 8 : after]
        if b"\0" in word:  # where llama.cpp takes it to end
            word = word[: word.index(b"\0")]
        empty += not word  # which llama.cpp gives names of their own
        words.add(word)
        position = after
    if len(words) + max(0, empty - 1) < count:
        raise ModelError(
            f"{header.path} has the same token twice in its vocabulary; convert the model again."
        )
