"""Read the header of a GGUF file: its metadata and where its tensors lie, never the tensors.

A plain walk over the format described in gguf.h of llama.cpp. The file is not trusted: every
count and length is held against the file's size and the limits below before it is used, so a
hostile header costs neither memory nor time, only a `ModelError`.
"""

import stat
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..errors import MissingFile, ModelError
from .types import (
    ARRAY,
    REMOVED_TENSOR_TYPES,
    STRING,
    TENSOR_TYPES,
    VALUE_FORMATS,
    TensorType,
)

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_DIMENSIONS = 4
MAX_NAME = 63
"""Bytes in a tensor's name, as llama.cpp allows (GGML_MAX_NAME, less the closing zero)."""

SHORT_ARRAY = 512
"""Arrays of up to this many elements are kept whole; longer ones become an `ArraySummary`."""

MAX_HEADER = 128 << 20
MAX_ENTRIES = 1 << 16
MAX_WORK = 4_000_000
"""Bytes of a header; its metadata entries (and its tensors); bytes of kept strings, strings
skipped and numbers kept, together. Several times what the largest vocabularies and models have:
16 MB, a few thousand, under a million strings."""

_READ_AHEAD = 1 << 20
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_SHAPES = tuple(struct.Struct(f"<{n}Q") for n in range(MAX_DIMENSIONS + 1))


@dataclass(frozen=True, slots=True)
class ArraySummary:
    """A long array that was skipped: the type of its elements ("str", "f32", …) and their number."""

    type: str
    length: int


Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...] | ArraySummary


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: `shape` has the length of a row first, `offset` counts from `data_offset`."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    n_bytes: int
    offset: int


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself.

    `types` gives each metadata entry's type by its GGUF name ("f32", "str", "arr[i32]"), `spans`
    the bytes of the file that hold the entry, its name included (from, to).
    `data_offset` (bytes from the start of the file) is None, and `tensors` empty, when the walk
    was told to stop before the tensors.
    """

    path: Path
    version: int
    metadata: Mapping[str, Value] = field(repr=False)
    types: Mapping[str, str] = field(repr=False)
    spans: Mapping[str, tuple[int, int]] = field(repr=False)
    tensors: tuple[TensorInfo, ...] = field(repr=False)
    data_offset: int | None
    alignment: int
    file_size: int

    def array_at(self, key: str) -> int:
        """Where the elements of an array begin, in bytes from the start of the file.

        Before them stand the length of the name and the name, the types of the entry and of its
        elements, and their number.
        """
        return self.spans[key][0] + 8 + len(key.encode()) + 4 + 4 + 8


def read_header(
    path: Path,
    *,
    tensors: bool = True,
    stop_before_tokenizer: bool = False,
    arrays: Collection[str] = (),
) -> Header:
    """The header of the GGUF file at `path`.

    `tensors=False` leaves the tensors out. `stop_before_tokenizer` ends the walk at the first
    `tokenizer.` entry, which writers put after the `general.` and architecture ones: a few
    kilobytes instead of megabytes, and no tensors. Arrays longer than `SHORT_ARRAY` become an
    `ArraySummary`, except those named in `arrays`.

    Raises ModelError when the file cannot be read, is not GGUF, is of another version or byte
    order, is damaged, or has a tensor type this llama.cpp does not know.
    """
    try:
        _require_regular_file(path)
        with path.open("rb") as file:
            return _walk(_Cursor(path, file), tensors, stop_before_tokenizer, frozenset(arrays))
    except FileNotFoundError:
        raise MissingFile(path) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None


def _require_regular_file(path: Path) -> None:
    """Opening a pipe or a device could wait for ever."""
    try:
        mode = path.stat().st_mode
    except ValueError:
        raise ModelError(f"{str(path)!r} cannot be the path of a file; check it.") from None
    if stat.S_ISDIR(mode):
        raise ModelError(f"{path} is a folder; give a .gguf file in it.")
    if not stat.S_ISREG(mode):
        raise ModelError(f"{path} is not a regular file; give a .gguf file.")


class _Cursor:
    """A position in the header, with as much of the file read as the walk has needed."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = file.seek(0, 2)
        file.seek(0)
        self.position = 0
        self._work = 0
        self._file = file
        self._bytes = bytearray()

    def damaged(self, what: str) -> ModelError:
        return ModelError(f"{self.path} is damaged: {what}; fetch or copy the file again.")

    def _need(self, end: int, what: str) -> None:
        """Have the file's bytes up to `end`, or say that `what` is cut off."""
        if end > len(self._bytes):
            if end > self.size:
                raise self.damaged(f"it ends inside {what}")
            if end > MAX_HEADER:
                raise self.damaged(f"its header is past {MAX_HEADER >> 20} MB at {what}")
            goal = max(end, 2 * len(self._bytes), _READ_AHEAD)
            self._bytes += self._file.read(min(goal, MAX_HEADER) - len(self._bytes))
            if end > len(self._bytes):
                raise self.damaged(f"it ends inside {what}")

    @property
    def beginning(self) -> bytes:
        """What has been read so far, or the start of it."""
        return bytes(self._bytes[:64])

    def take(self, n_bytes: int, what: str) -> bytes:
        end = self.position + n_bytes
        self._need(end, what)
        taken = bytes(self._bytes[self.position : end])
        self.position = end
        return taken

    def u32(self, what: str) -> int:
        return _U32.unpack(self.take(4, what))[0]

    def u64(self, what: str) -> int:
        return _U64.unpack(self.take(8, what))[0]

    def string(self, what: str) -> str:
        n_bytes = self.u64(what)
        self._need(self.position + n_bytes, what)
        self.spend(n_bytes, what)
        return self.take(n_bytes, what).decode("utf-8", "replace")

    def skip(self, n_bytes: int, what: str) -> None:
        self._need(self.position + n_bytes, what)
        self.position += n_bytes

    def spend(self, work: int, what: str) -> None:
        """Account for strings or numbers about to be read, before they cost anything."""
        self._work += work
        if self._work > MAX_WORK:
            raise self.damaged(f"its header claims more than any model has, at {what}")

    def skip_strings(self, count: int, what: str) -> None:
        """Skip `count` strings, each a u64 length and that many bytes."""
        length_at = _U64.unpack_from
        position, left = self.position, count
        while left:
            self._need(position + 8, what)
            known = self._bytes
            skipped = 0
            try:
                for skipped in range(left):  # noqa: B007 - how far it came is used below
                    position += 8 + length_at(known, position)[0]
                left = 0
            except (struct.error, OverflowError):  # the next length is yet to be read
                left -= skipped
        self.position = position
        self.skip(0, what)


def _walk(
    cursor: _Cursor, want_tensors: bool, stop_before_tokenizer: bool, arrays: frozenset[str]
) -> Header:
    version = _read_version(cursor)
    n_tensors = cursor.u64("the tensor count")
    n_entries = cursor.u64("the metadata count")
    for count, what in ((n_tensors, "tensors"), (n_entries, "metadata entries")):
        if count > MAX_ENTRIES:
            raise cursor.damaged(f"its header claims {count:,} {what}")

    metadata: dict[str, Value] = {}
    types: dict[str, str] = {}
    spans: dict[str, tuple[int, int]] = {}
    for number in range(n_entries):
        start = cursor.position
        key = cursor.string(f"the name of metadata entry {number + 1}")
        if not key or key in metadata:
            raise cursor.damaged(f"metadata entry {number + 1} has an empty or repeated name")
        if stop_before_tokenizer and key.startswith("tokenizer."):
            want_tensors = False
            break
        metadata[key], types[key] = _read_value(cursor, key, key in arrays)
        spans[key] = (start, cursor.position)

    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if types.get("general.alignment", "u32") != "u32" or not isinstance(alignment, int):
        raise cursor.damaged("general.alignment is not a u32")
    if alignment.bit_count() != 1:
        raise cursor.damaged(f"general.alignment is {alignment}, not a power of two")

    infos: tuple[TensorInfo, ...] = ()
    data_offset = None
    if want_tensors:
        infos = _read_tensors(cursor, n_tensors)
        padding = -cursor.position % alignment if n_tensors else 0
        data_offset = cursor.position + padding
    return Header(
        cursor.path, version, metadata, types, spans, infos, data_offset, alignment, cursor.size
    )


def _read_version(cursor: _Cursor) -> int:
    if cursor.size < len(MAGIC) or cursor.take(4, "the magic number") != MAGIC:
        raise ModelError(f"{cursor.path} {_what_else(cursor.beginning)}")
    version = cursor.u32("the version")
    if version & 0xFFFF == 0 and version:
        raise ModelError(
            f"{cursor.path} is a big-endian GGUF file; convert it with gguf-convert-endian."
        )
    if version not in VERSIONS:
        advice = "convert the model again" if version < VERSIONS[0] else "update llamadiff"
        raise ModelError(
            f"{cursor.path} is GGUF version {version}, this llama.cpp reads 2 and 3; {advice}."
        )
    return version


def _what_else(beginning: bytes) -> str:
    """What a file is that is not GGUF, and what to do."""
    if beginning.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the model: run git lfs pull."
    if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a model: fetch it again, with the link to the file itself."
    return "is not a GGUF file; give a model in the GGUF format."


def _read_value(cursor: _Cursor, key: str, whole: bool) -> tuple[Value, str]:
    """One metadata value and the name of its type."""
    type_id = cursor.u32(key)
    if type_id == STRING:
        return cursor.string(key), "str"
    if type_id == ARRAY:
        return _read_array(cursor, key, whole)
    name, layout = _value_format(cursor, key, type_id)
    return struct.unpack(layout, cursor.take(struct.calcsize(layout), key))[0], name


def _read_array(cursor: _Cursor, key: str, whole: bool) -> tuple[Value, str]:
    type_id, length = cursor.u32(key), cursor.u64(key)
    keep = whole or length <= SHORT_ARRAY
    if type_id == STRING:
        cursor.spend(length, key)
        if keep:
            return tuple(cursor.string(key) for _ in range(length)), "arr[str]"
        cursor.skip_strings(length, key)
        return ArraySummary("str", length), "arr[str]"
    name, layout = _value_format(cursor, key, type_id)
    n_bytes = struct.calcsize(layout) * length
    if keep:
        cursor.spend(length, key)
        values = struct.iter_unpack(layout, cursor.take(n_bytes, key))
        return tuple(value for (value,) in values), f"arr[{name}]"
    cursor.skip(n_bytes, key)
    return ArraySummary(name, length), f"arr[{name}]"


def _value_format(cursor: _Cursor, key: str, type_id: int) -> tuple[str, str]:
    try:
        return VALUE_FORMATS[type_id]
    except KeyError:
        raise cursor.damaged(f"metadata entry {key} has value type {type_id}") from None


def _read_tensors(cursor: _Cursor, count: int) -> tuple[TensorInfo, ...]:
    infos: dict[str, TensorInfo] = {}
    for number in range(count):
        what = f"the description of tensor {number + 1} of {count}"
        length = cursor.u64(what)
        if not 0 < length <= MAX_NAME:
            raise cursor.damaged(f"{what} has a name of {length:,} bytes")
        name = cursor.take(length, what).decode("utf-8", "replace")
        if name in infos:
            raise cursor.damaged(f"it holds the tensor {name} twice")
        dimensions = cursor.u32(what)
        if dimensions > MAX_DIMENSIONS:
            raise cursor.damaged(f"the tensor {name} has {dimensions:,} dimensions")
        layout = _SHAPES[dimensions]
        shape = layout.unpack(cursor.take(layout.size, what))
        kind = _tensor_type(cursor, name, cursor.u32(what))
        row, elements = (shape[0] if shape else 1), 1
        for extent in shape:
            elements *= extent
        if row % kind.block:
            raise cursor.damaged(f"the tensor {name} has rows of {row:,}, unfit for {kind.name}")
        infos[name] = TensorInfo(name, shape, kind.name, kind.size_of(elements), cursor.u64(what))
    return tuple(infos.values())


def _tensor_type(cursor: _Cursor, name: str, type_id: int) -> TensorType:
    if type_id in TENSOR_TYPES:
        return TENSOR_TYPES[type_id]
    if type_id in REMOVED_TENSOR_TYPES:
        raise ModelError(
            f"{cursor.path} uses tensor type {type_id} in {name}, which llama.cpp has dropped; "
            "quantize the model again."
        )
    raise ModelError(
        f"{cursor.path} uses tensor type {type_id} in {name}, newer than this llama.cpp; "
        "update llamadiff or use another quantization."
    )
