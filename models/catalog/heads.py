"""Reads the head of a GGUF file: what it says it is, up to its vocabulary and no further.

The fast way reads a few kilobytes, and behind a vocabulary the list of tensors, and understands
sound files only. Whatever is odd about a file
is left to the careful readers in `models/gguf`, which also say in words what is wrong.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from pathlib import Path

import msgspec

from ..errors import ModelError, plain
from ..gguf.check import check_adapter, check_model
from ..gguf.header import DEFAULT_ALIGNMENT, MAX_DIMENSIONS, MAX_ENTRIES, VERSIONS, read_header
from ..gguf.types import ARRAY, FILE_TYPES, STRING, TENSOR_TYPES, VALUE_FORMATS
from .behind import list_behind


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of a file without reading it whole; text is safe to print.

    `kind` is `general.type` ("model" where the file does not say). `parameters` are counted, or
    as the file labels itself. `empty` means that it holds no tensors. `problem` is the sentence
    of a careful reader.
    """

    kind: str = "model"
    architecture: str | None = None
    title: str | None = None
    parameters: int | None = None
    quantization: str | None = None
    context: int | None = None
    causal: bool = True
    empty: bool = False
    rank: int | None = None
    alpha: float | None = None
    targets: tuple[str, ...] = ()
    base: str | None = None
    problem: str | None = None


_WINDOW = 48 << 10
_MOST = 512 << 10
"""Bytes read at first, and at most."""

_SHORT = 2048
"""Elements of an array of strings that is still walked through; vocabularies are longer."""

_SIZES = {number: struct.calcsize(layout) for number, (_, layout) in VALUE_FORMATS.items()}
_SCALARS = {number: struct.Struct(layout) for number, (_, layout) in VALUE_FORMATS.items()}
_TENSORS = {number: (t.name, t.block, t.n_bytes) for number, t in TENSOR_TYPES.items()}
_SHAPES = tuple(struct.Struct(f"<{n}QIQ") for n in range(MAX_DIMENSIONS + 1))
_START = struct.Struct("<4sIQQ")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_KIND_AND_COUNT = struct.Struct("<IQ")

_GENERAL = {
    b"general.architecture", b"general.type", b"general.name", b"general.size_label",
    b"general.parameter_count", b"general.file_type", b"general.alignment",
}  # fmt: skip
_LABEL = re.compile(r"(?:(\d{1,4})x)?(\d{1,6}(?:\.\d{1,3})?)([KMBT])", re.IGNORECASE)
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_QUANTIZATION = re.compile(
    r"(?:^|[-._ ])(I?Q[1-8](?:_[0-9A-Z]{1,4})*|TQ[12]_0|(?:MX|NV)FP4(?:_MOE)?|BF16|F16|F32)(?=$|[-._ ])",
    re.IGNORECASE,
)


class _OddError(Exception):
    """The file is not as the fast way expects it."""


class _ShortError(Exception):
    """More of the file is to be read."""


def read_head(path: str, size: int) -> Head:
    """The head of the file at `path`, which has `size` bytes.

    Never raises: what is wrong with the file is its `problem`.
    """
    try:
        head = _fast(path, size)
    except (OSError, _OddError, ValueError, OverflowError):
        head = None
    if head is None or head.kind == "adapter":
        return careful_head(path)
    return head


def quantization_in(name: str) -> str | None:
    """The quantization that a file's name ends in, as people name them: `x-Q4_K_M`."""
    found = _QUANTIZATION.findall(name)
    return found[-1].upper() if found else None


def careful_head(name: str) -> Head:
    """The head as the full checks see the file, vocabulary and all tensors read.

    Never raises either.
    """
    path, kind = Path(name), "model"
    try:
        metadata = read_header(path, stop_before_tokenizer=True, tensors=False).metadata
        said, title = metadata.get("general.type"), metadata.get("general.name")
        kind = plain(said) if isinstance(said, str) else kind
        if kind == "adapter":
            adapter = check_adapter(path, values=False)
            return Head(
                kind, adapter.architecture, plain(title) if isinstance(title, str) else None,
                rank=adapter.rank, alpha=adapter.alpha, targets=adapter.targets, base=adapter.base,
            )  # fmt: skip
        model = check_model(path)
    except ModelError as error:
        return Head(kind, problem=str(error))
    return Head(
        kind, model.architecture, model.title, model.parameters, model.quantization, model.context
    )


def _fast(path: str, size: int) -> Head:
    # A pipe may have taken the file's place: opening one would wait for somebody to write.
    flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _OddError
        data, goal = os.read(handle, _WINDOW), _WINDOW
        while True:
            try:
                return _parse(data, size, handle)
            except _ShortError:
                if goal >= _MOST or len(data) < goal:
                    raise _OddError from None
                goal *= 4
                data += os.read(handle, goal - len(data))
    finally:
        os.close(handle)


def _parse(data: bytes, size: int, handle: int) -> Head:
    """The head in the first bytes of an open file; `_ShortError` where they do not suffice."""
    if len(data) < _START.size:
        raise _OddError
    magic, version, n_tensors, n_entries = _START.unpack_from(data)
    if magic != b"GGUF" or version not in VERSIONS:
        raise _OddError
    if n_entries > MAX_ENTRIES or n_tensors > MAX_ENTRIES:
        raise _OddError
    found: dict[bytes, object] = {}
    try:
        at, whole = _entries(data, n_entries, found)
        if whole:
            counted = _count(data, at, n_tensors, found, size, 0)
        else:
            counted = _count_behind(handle, at, n_tensors, found, size)
    except struct.error:  # what is next lies behind what was read
        raise _ShortError from None
    return _head(found, n_tensors, *counted)


def _count_behind(
    handle: int, start: int, n_tensors: int, found: dict[bytes, object], size: int
) -> tuple[int | None, str | None]:
    """As `_count`, of the list behind a vocabulary that begins before `start`."""
    if n_tensors == 0:
        return None, None
    behind = list_behind(handle, start, n_tensors, size)
    if behind is None:
        raise _OddError
    if behind.file_type is not None:
        found.setdefault(b"general.file_type", behind.file_type)
    try:
        return _count(behind.data, 0, n_tensors, found, size, behind.at)
    except struct.error:
        raise _OddError from None


def _entries(data: bytes, count: int, found: dict[bytes, object]) -> tuple[int, bool]:
    """Take the metadata that matters; where it ends, and whether it was seen to its end.

    It is not where an array has a vocabulary's length: then the rest begins behind that place.
    Raises struct.error where the data end first.
    """
    at, end = _START.size, len(data)
    u64, u32 = _U64.unpack_from, _U32.unpack_from
    for _ in range(count):
        start = at + 8
        at = start + u64(data, at)[0]
        key, kind = data[start:at], u32(data, at)[0]
        at += 4
        if kind == STRING:
            start = at + 8
            at = start + u64(data, at)[0]
            if at > end:
                raise _ShortError
            if key in _GENERAL:
                found[key] = data[start:at].decode("utf-8", "replace")
        elif kind == ARRAY:
            after = _after_array(data, at)
            if after is None and not key.startswith(b"tokenizer."):
                raise _OddError
            if after is None:
                return at, False
            at = after
        elif kind in _SCALARS:
            if key in _GENERAL or key.endswith((b".context_length", b".attention.causal")):
                found[key] = _SCALARS[kind].unpack_from(data, at)[0]
            at += _SIZES[kind]
        else:
            raise _OddError
    return at, True


def _after_array(data: bytes, at: int) -> int | None:
    """Where an array ends; None for one as long as a vocabulary. Raises struct.error."""
    kind, count = _KIND_AND_COUNT.unpack_from(data, at)
    at += _KIND_AND_COUNT.size
    if kind == STRING:
        if count > _SHORT:
            return None
        length_at = _U64.unpack_from
        for _ in range(count):
            at += 8 + length_at(data, at)[0]
        return at
    if kind not in _SIZES:
        raise _OddError
    return None if count > _MOST else at + _SIZES[kind] * count


def _count(
    data: bytes, at: int, n_tensors: int, found: dict[bytes, object], size: int, data_at: int
) -> tuple[int | None, str | None]:
    """The number of parameters and the type that takes most bytes, from the tensors' list.

    The list begins at `at` of the data, and these at `data_at` of the file. Raises `_OddError` where they do not lie one behind the other and inside the file, and
    struct.error where the data end first.
    """
    alignment = found.get(b"general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise _OddError
    parameters = expected = needed = 0
    by_type: dict[int, int] = {}
    u64, u32 = _U64.unpack_from, _U32.unpack_from
    for _ in range(n_tensors):
        at += 8 + u64(data, at)[0]
        dimensions = u32(data, at)[0]
        if dimensions > MAX_DIMENSIONS:
            raise _OddError
        layout = _SHAPES[dimensions]
        *shape, kind, offset = layout.unpack_from(data, at + 4)
        at += 4 + layout.size
        if kind not in _TENSORS or offset != expected:
            raise _OddError
        elements = 1
        for extent in shape:
            elements *= extent
        _, block, n_bytes = _TENSORS[kind]
        taken = elements // block * n_bytes
        parameters += elements
        by_type[kind] = by_type.get(kind, 0) + taken
        needed = offset + taken
        expected = needed + -taken % alignment
    at += data_at
    if at + -at % alignment + needed > size:
        raise _OddError
    if not by_type:
        return None, None
    return parameters, _TENSORS[max(by_type, key=lambda kind: by_type[kind])][0]


def _head(
    found: dict[bytes, object], n_tensors: int, parameters: int | None, kind_of_most: str | None
) -> Head:
    architecture = found.get(b"general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _OddError
    prefix = architecture.encode()
    kind, title = found.get(b"general.type"), found.get(b"general.name")
    context = found.get(prefix + b".context_length")
    file_type = found.get(b"general.file_type")
    quantization = FILE_TYPES.get(file_type) if isinstance(file_type, int) else None
    return Head(
        kind=plain(kind) if isinstance(kind, str) and kind else "model",
        architecture=plain(architecture),
        title=plain(title) if isinstance(title, str) and title else None,
        parameters=parameters or _labelled(found),
        quantization=quantization or kind_of_most,
        context=context if isinstance(context, int) and context > 0 else None,
        causal=found.get(prefix + b".attention.causal") is not False,
        empty=n_tensors == 0,
    )


def _labelled(found: dict[bytes, object]) -> int | None:
    """The number of parameters by the file's own words: a count, or a label like 8x7B."""
    count, label = found.get(b"general.parameter_count"), found.get(b"general.size_label")
    if isinstance(count, int) and count > 0:
        return count
    match = _LABEL.match(label) if isinstance(label, str) else None
    if match is None:
        return None
    return round(int(match[1] or 1) * float(match[2]) * _UNITS[match[3].upper()])
