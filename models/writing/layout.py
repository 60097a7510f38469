"""Lay out the header of a GGUF file: entries copied as they are, entries of ours, tensors.

The format is that of gguf.h of llama.cpp, version 3.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ..gguf.header import MAGIC
from ..gguf.types import ARRAY, STRING, TENSOR_TYPES, VALUE_FORMATS, TensorType

VERSION = 3
TYPE_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_VALUE_NUMBERS = {name: (number, layout) for number, (name, layout) in VALUE_FORMATS.items()}


@dataclass(frozen=True)
class PlannedTensor:
    """A tensor to be written: `shape` has the length of a row first."""

    name: str
    shape: tuple[int, ...]
    kind: TensorType
    n_bytes: int


def text_entry(key: str, text: str) -> bytes:
    """A metadata entry that holds a text."""
    return _string(key) + struct.pack("<I", STRING) + _string(text)


def texts_entry(key: str, texts: Sequence[str]) -> bytes:
    """A metadata entry that holds several texts."""
    head = struct.pack("<IIQ", ARRAY, STRING, len(texts))
    return _string(key) + head + b"".join(map(_string, texts))


def number_entry(key: str, kind: str, value: float) -> bytes:
    """A metadata entry that holds a number of a GGUF type ("u32", "f32", …)."""
    number, layout = _VALUE_NUMBERS[kind]
    return _string(key) + struct.pack("<I", number) + struct.pack(layout, value)


def numbers_entry(key: str, kind: str, values: Sequence[float]) -> bytes:
    """A metadata entry that holds several numbers of a GGUF type."""
    number, layout = _VALUE_NUMBERS[kind]
    packed = b"".join(struct.pack(layout, value) for value in values)
    return _string(key) + struct.pack("<IIQ", ARRAY, number, len(values)) + packed


def header(entries: Sequence[bytes], tensors: Sequence[PlannedTensor], alignment: int) -> bytes:
    """All that goes before the tensors, padded to where the first begins.

    They follow one another, each padded to `alignment`, as llama.cpp wants.
    """
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(entries)), *entries]
    offset = 0
    for tensor in tensors:
        shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        place = struct.pack("<IQ", TYPE_NUMBERS[tensor.kind.name], offset)
        parts += [_string(tensor.name), shape, place]
        offset += tensor.n_bytes + padding(tensor.n_bytes, alignment)
    head = b"".join(parts)
    return head + b"\0" * padding(len(head), alignment)


def padding(n_bytes: int, alignment: int) -> int:
    """Bytes from `n_bytes` to the next multiple of `alignment`."""
    return -n_bytes % alignment


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
