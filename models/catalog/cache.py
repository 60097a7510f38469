"""Remembers the heads of files, so that the next list need not read them."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..gguf.architectures import CAUSAL
from .heads import Head

Identity = tuple[int, int, int, int]
"""Device, inode, size in bytes and modification time in ns."""

_FILE = "catalog.msgpack"
_FORMAT = 3
"""Counted up when a head comes to say something else of the same file."""

_MOST = 50_000
"""How many heads are kept."""


class Remembered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file as it was when its head was read."""

    identity: Identity
    head: Head


class _Store(msgspec.Struct, array_like=True, gc=False):
    stamp: tuple[int, int]
    heads: dict[str, Remembered]


def recall(cache_dir: Path | None) -> dict[str, Remembered]:
    """The heads remembered in the folder, by path; none where there is no sound file."""
    if cache_dir is None:
        return {}
    try:
        store = msgspec.msgpack.decode((cache_dir / _FILE).read_bytes(), type=_Store)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return {}
    return store.heads if store.stamp == _stamp() else {}


def remember(new: Mapping[str, Remembered], cache_dir: Path | None) -> None:
    """Add heads to those in the folder; a reader sees the file before or after, never half.

    Of two processes that write at once one may lose what it adds, which is then read again. A
    folder that cannot be written costs only that time.
    """
    if cache_dir is None or not new:
        return
    heads = {**recall(cache_dir), **new}
    if len(heads) > _MOST:
        heads = dict(list(heads.items())[-_MOST:])
    temporary = None
    try:
        encoded = msgspec.msgpack.encode(_Store(_stamp(), heads))
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=cache_dir, prefix=_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(encoded)
        Path(temporary).replace(cache_dir / _FILE)
    except OSError:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _stamp() -> tuple[int, int]:
    """What sentences in heads depend on: this format, and the architectures that are known."""
    return _FORMAT, zlib.crc32(" ".join(sorted(CAUSAL)).encode())
