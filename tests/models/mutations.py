"""GGUF files spoilt in one place each: where every field lies, and what to put there."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from llamadiff.models.gguf.types import TENSOR_TYPES, VALUE_FORMATS

U64_ODDITIES = (0xFFFF_FFFF, 1 << 40, 1 << 62, (1 << 63) + 7, (1 << 64) - 1)


@dataclass
class Fields:
    """Positions, in bytes, of what a GGUF file's header says."""

    lengths: list[int] = field(default_factory=list[int])
    """Of strings, u64."""
    array_lengths: list[int] = field(default_factory=list[int])
    value_types: dict[str, int] = field(default_factory=dict[str, int])
    values: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """Of scalars: position and `struct` format, by key."""
    keys: dict[str, int] = field(default_factory=dict[str, int])
    tensor_names: dict[str, int] = field(default_factory=dict[str, int])
    dimensions: dict[str, int] = field(default_factory=dict[str, int])
    """Of the number of dimensions, u32; the u64 extents follow."""
    tensor_types: dict[str, int] = field(default_factory=dict[str, int])
    offsets: dict[str, int] = field(default_factory=dict[str, int])
    data: int = 0


def fields(whole: bytes) -> Fields:
    """Where the fields of a sound file lie."""
    found = Fields()
    position = 24
    n_tensors, n_entries = struct.unpack_from("<QQ", whole, 8)

    def string() -> str:
        nonlocal position
        found.lengths.append(position)
        (length,) = struct.unpack_from("<Q", whole, position)
        text = whole[position + 8 : position + 8 + length].decode()
        position += 8 + length
        return text

    def skip(type_id: int) -> None:
        nonlocal position
        if type_id == 8:
            string()
        else:
            position += struct.calcsize(VALUE_FORMATS[type_id][1])

    for _ in range(n_entries):
        at = position + 8
        key = string()
        found.keys[key] = at
        found.value_types[key] = position
        (type_id,) = struct.unpack_from("<I", whole, position)
        position += 4
        if type_id == 9:
            found.array_lengths.append(position + 4)
            kind, length = struct.unpack_from("<IQ", whole, position)
            position += 12
            for _ in range(length):
                skip(kind)
        else:
            if type_id in VALUE_FORMATS:
                found.values[key] = position, VALUE_FORMATS[type_id][1]
            skip(type_id)
    for _ in range(n_tensors):
        at = position + 8
        name = string()
        found.tensor_names[name] = at
        found.dimensions[name] = position
        (count,) = struct.unpack_from("<I", whole, position)
        position += 4 + 8 * count
        found.tensor_types[name] = position
        found.offsets[name] = position + 4
        position += 12
    found.data = position + -position % 32
    return found


def put(whole: bytes, at: int, layout: str, value: float) -> bytes:
    """`whole` with one number replaced."""
    new = bytearray(whole)
    struct.pack_into(layout, new, at, value)
    return bytes(new)


def spoilt(whole: bytes, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Files that are damaged for certain, whatever they are: each must be refused."""
    rng = random.Random(seed)
    it = fields(whole)
    yield "zero length", b""
    for length in (1, 3, 4, 7, 8, 16, 23, 24, 25, it.data // 4, it.data // 2, it.data - 40):
        yield f"cut at {length} in the header", whole[:length]
    for length in sorted(rng.sample(range(it.data, len(whole) - 32), 8)):
        yield f"cut at {length} in the data", whole[:length]
    for value in U64_ODDITIES:
        yield f"{value} tensors", put(whole, 8, "<Q", value)
        yield f"{value} entries", put(whole, 16, "<Q", value)
        for at in rng.sample(it.lengths, 4):
            yield f"a string of {value} at {at}", put(whole, at, "<Q", value)
        for at in it.array_lengths[:4]:
            yield f"an array of {value} at {at}", put(whole, at, "<Q", value)
    for at in rng.sample(it.lengths, 6):
        yield f"a string past the end at {at}", put(whole, at, "<Q", len(whole))
    for name in rng.sample(sorted(it.dimensions), 3):
        at = it.dimensions[name]
        for count in (5, 9, 1 << 31):
            yield f"{name} of {count} dimensions", put(whole, at, "<I", count)
        for extent in (1 << 20, 1 << 40, (1 << 63) - 1, (1 << 64) - 1):
            yield f"{name} of {extent} a row", put(whole, at + 4, "<Q", extent)
        for type_id in (4, 31, 43, 1000, 0xFFFF_FFFF):
            yield f"{name} of type {type_id}", put(whole, it.tensor_types[name], "<I", type_id)
        for offset in (1, 32, 1 << 40, (1 << 64) - 32):
            here = struct.unpack_from("<Q", whole, it.offsets[name])[0]
            if offset != here:
                yield f"{name} at {offset}", put(whole, it.offsets[name], "<Q", offset)
    first, second = sorted(it.tensor_names, key=len)[:2]
    if len(first) == len(second):
        at = it.tensor_names[first]
        yield f"{second} twice", whole[:at] + second.encode() + whole[at + len(first) :]
    for key in ("general.architecture", "general.type"):
        for type_id in (0, 6, 9, 13, 77):
            yield f"{key} of type {type_id}", put(whole, it.value_types[key], "<I", type_id)
    yield "another magic", b"GGML" + whole[4:]
    for version in (0, 1, 4, 3 << 24):
        yield f"version {version}", put(whole, 4, "<I", version)


def flipped(whole: bytes, count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Files with a byte or four of the header changed at random; some are still usable."""
    rng = random.Random(seed)
    end = fields(whole).data
    for number in range(count):
        new = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(4, end)
            new[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, new[at] ^ 1 << rng.randrange(8)))
        yield f"flipped {number}", bytes(new)


def retyped(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """Files with one tensor of each kind declared as each other type of the same size or less."""
    it = fields(whole)
    kinds: dict[str, str] = {}
    for name in it.tensor_types:
        kinds.setdefault(".".join(part for part in name.split(".") if not part.isdigit()), name)
    for name in kinds.values():
        for type_id in TENSOR_TYPES:
            yield (
                f"{name} as {TENSOR_TYPES[type_id].name}",
                put(whole, it.tensor_types[name], "<I", type_id),
            )


def other_numbers(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """Files with one number of the metadata replaced by an unlikely one."""
    odd: dict[str, tuple[float, ...]] = {
        "<I": (0, 1, 2, 3, 7, 255, 513, 65_536, 1 << 31, (1 << 32) - 1),
        "<i": (-(1 << 31), -1, 0, 1),
        "<f": (0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf")),
        "<?": (0, 1),
    }
    for key, (at, layout) in fields(whole).values.items():
        for value in odd.get(layout, ()):
            yield f"{key} = {value}", put(whole, at, layout, value)
