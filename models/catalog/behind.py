"""Finds the list of tensors behind a vocabulary without reading the vocabulary."""

from __future__ import annotations

import os
import re
import struct
from typing import NamedTuple

from ..gguf.header import MAX_DIMENSIONS, MAX_HEADER, MAX_NAME

_LEAST = 50
"""Bytes that an entry of the list takes at least, with the names that models have."""

_MOST = 8 + MAX_NAME + 4 + 8 * MAX_DIMENSIONS + 4 + 8
_PROBE = 160
"""Bytes looked at in one place: a whole entry with a name of the usual length."""

_WINDOW = 512
_STRINGS = 4
"""How many strings in a row, each of fewer than 256 bytes, are no chance."""

_LENGTH = re.compile(rb"[\x01-\xff]\0{7}")
_NAME_END = re.compile(rb"\.(?:weight|bias)([\x01-\x04])\0\0\0")
_FILE_TYPE = struct.pack("<Q17sI", 17, b"general.file_type", 4)
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class Behind(NamedTuple):
    """The bytes of the list, where in the file they begin, and `general.file_type` before them."""

    data: bytes
    at: int
    file_type: int | None


def list_behind(handle: int, start: int, n_tensors: int, size: int) -> Behind | None:
    """The list of tensors of an open file of `size` bytes, which begins after `start`.

    Looks into the file at distances shorter than the list is long, so that one look meets it.
    None where it is not met, as in a file that ends before it.
    """
    step, end = n_tensors * _LEAST - _PROBE, min(size, MAX_HEADER)
    if step < _PROBE:
        return None
    if advise := getattr(os, "posix_fadvise", None):  # macOS has none
        advise(handle, 0, 0, os.POSIX_FADV_RANDOM)  # else each look reads 32 pages ahead
    for at in range(_last_of_vocabulary(handle, start, end, step), end, step):
        if b".weight" in os.pread(handle, _PROBE, at):
            before = max(0, at - 2 * step)
            block = os.pread(handle, at - before + n_tensors * _MOST, before)
            first = _first(block)
            if first is not None:
                return Behind(block[first:], before + first, _file_type(block[:first]))
    return None


def _last_of_vocabulary(handle: int, low: int, high: int, near: int) -> int:
    """A place from `low` on, inside the vocabulary or its start, as a rule `near` its end.

    Halves what is between a place known to be inside and one that does not look so, which may be
    an array of another kind: then the place is further from the end.
    """
    while high - low > near:
        middle = (low + high) // 2
        if _in_vocabulary(os.pread(handle, _WINDOW, middle)):
            low = middle
        else:
            high = middle
    return low


def _in_vocabulary(window: bytes) -> bool:
    """Whether these are strings, each behind its length, or the types of tokens."""
    if not window.strip(b"\0\1\2\3\4\5\6"):
        return any(window)
    for match in _LENGTH.finditer(window):
        at = match.start()
        for _ in range(_STRINGS):
            if at + 8 > len(window) or not 0 < _U64.unpack_from(window, at)[0] < 256:
                break
            at += 8 + window[at]
        else:
            return True
    return False


def _first(block: bytes) -> int | None:
    """Where the entry begins whose data are the first: the name's length, the name, the rest."""
    for match in _NAME_END.finditer(block):
        offset_at = match.end() + 8 * match[1][0] + 4
        if block[offset_at : offset_at + 8] == bytes(8):
            end = match.start(1)
            for length in range(1, min(MAX_NAME, end - 8) + 1):
                at = end - length - 8
                if _U64.unpack_from(block, at)[0] == length:
                    return at
    return None


def _file_type(block: bytes) -> int | None:
    at = block.rfind(_FILE_TYPE)
    if at < 0 or at + len(_FILE_TYPE) + 4 > len(block):
        return None
    return _U32.unpack_from(block, at + len(_FILE_TYPE))[0]
