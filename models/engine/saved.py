"""Long prompts' caches on disk: what took long to compute is read back in milliseconds.

A file holds the length of its header (four bytes, big endian), the header (msgpack), the state of
one sequence as llama.cpp gives it, and the CRC-32 of all that (four bytes, big endian). A cache
read back holds the bits of the one that was written (docs/engine.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import struct
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..memory import available_memory
from . import native
from .chunks import reusable
from .context import Context
from .frames import LENGTH

WORTH_S = 3.0
"""Seconds of computing from which a prompt is saved."""
GAIN = 256
"""Positions a file must save over what is in memory before it is read."""
BUDGET = 2 << 30
"""Bytes of all files together; those unused for longest go first."""
DISK_LEFT = 1 << 30
"""Bytes that stay free on the disk."""
ABANDONED_S = 3600.0
"""Seconds after which a file that was never finished is deleted."""
UNREADABLE = (OSError, struct.error, msgspec.MsgspecError)


class Header(msgspec.Struct, frozen=True):
    """The chunks of a prompt that a file holds."""

    tokens: list[int]
    ends: list[int]


@dataclass(frozen=True)
class Saved:
    """A prompt on disk, and how many leading positions of the prompt at hand it serves."""

    path: Path
    header: Header
    length: int


class SavedPrompts:
    """The folder of saved prompts; None saves nothing. Files are written one after the other."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writer = ThreadPoolExecutor(1, "save prompts")
        self._writing: set[Future[None]] = set()

    def shelf(self, identity: Sequence[object] | None) -> Shelf:
        """The prompts of one lane; `identity` is all that its caches depend on, if that is known.

        llama.cpp reads a sequence back only into a context of as many sequences and positions.
        """
        return Shelf(self, self._folder if identity else None, identity or ())

    def write(self, path: Path, header: Header, state: memoryview) -> None:
        """Write a file, on another thread."""
        self._writing = {it for it in self._writing if not it.done()}
        self._writing.add(self._writer.submit(_write, path, header, state))

    def finish(self, seconds: float) -> None:
        """Wait until everything is written, at most so long."""
        wait(self._writing, seconds)


class Shelf:
    """The saved prompts of one model file, one adapter stack and one kind of context."""

    def __init__(self, prompts: SavedPrompts, folder: Path | None, identity: Sequence[object]):
        self._prompts = prompts
        self._folder = folder
        name = repr((native.binding_version, native.system_info(), *identity))
        self._prefix = hashlib.sha256(name.encode()).hexdigest()[:32]
        self._known: dict[Path, Header] = {}
        for path in _files(folder, f"{self._prefix}-*.kv") if folder else ():
            with contextlib.suppress(*UNREADABLE), path.open("rb") as file:
                self._known[path] = _header(file.read(*LENGTH.unpack(file.read(LENGTH.size))))

    def best(self, tokens: Sequence[int], ends: Sequence[int]) -> Saved | None:
        """The saved prompt that serves most of `tokens` cut at `ends`, if any does."""
        found = [
            Saved(path, header, reusable(header.tokens, header.ends, tokens, ends))
            for path, header in self._known.items()
        ]
        return max((it for it in found if it.length), key=lambda it: it.length, default=None)

    def load(self, saved: Saved, context: Context, seq: int) -> bool:
        """Put a saved prompt into an empty sequence; a damaged file is deleted."""
        state = _read(saved.path, saved.header)
        if state and context.restore(seq, state):
            return True
        self._known.pop(saved.path, None)
        if not state:
            with contextlib.suppress(OSError):
                saved.path.unlink(missing_ok=True)
        return False

    def save(self, tokens: list[int], ends: list[int], context: Context, seq: int) -> None:
        """Save a sequence that holds exactly these chunks, if there is room."""
        if self._folder is None or not _room(self._folder, context.state_size(seq)):
            return
        header = Header(list(tokens), list(ends))
        said = hashlib.sha256(msgspec.msgpack.encode(header)).hexdigest()[:16]
        path = self._folder / f"{self._prefix}-{said}.kv"
        if state := context.state(seq):
            self._known[path] = header
            self._prompts.write(path, header, state)


def _header(body: bytes) -> Header:
    return msgspec.msgpack.decode(body, type=Header)


def _read(path: Path, header: Header) -> bytes:
    """The state in a file of this header; empty if it is not there, damaged, or another's."""
    try:
        data = path.read_bytes()
        os.utime(path)
        (length,) = LENGTH.unpack(data[: LENGTH.size])
        start, end = LENGTH.size + length, len(data) - LENGTH.size
        if data[end:] == LENGTH.pack(zlib.crc32(memoryview(data)[:end])) and header == _header(
            data[LENGTH.size : start]
        ):
            return data[start:end]
    except UNREADABLE:
        pass
    return b""


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _room(folder: Path, size: int) -> bool:
    """Whether so many bytes are within the budget and leave the disk and the memory usable."""
    try:
        there = next(it for it in (folder, *folder.parents) if it.exists())
        disk = shutil.disk_usage(there).free
    except OSError:
        return False
    return size <= min(BUDGET // 2, disk - DISK_LEFT, available_memory() // 2)


def _write(path: Path, header: Header, state: memoryview) -> None:
    """Write a file whole or not at all, and make room for it in the budget."""
    body = msgspec.msgpack.encode(header)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        crc = 0
        with os.fdopen(descriptor, "wb") as file:
            for part in (LENGTH.pack(len(body)), body, state):
                file.write(part)
                crc = zlib.crc32(part, crc)
            file.write(LENGTH.pack(crc))
        unfinished.replace(path)
        _tidy(path.parent)


def _tidy(folder: Path) -> None:
    """Delete the files unused for longest until the budget holds, and those never finished."""
    files = sorted((it.stat().st_mtime, it.stat().st_size, it) for it in folder.iterdir())
    total = sum(size for _, size, _ in files)
    for changed, size, path in files:
        unfinished = path.suffix[1:].isdigit()
        if not unfinished and path.suffix != ".kv":
            continue
        if time.time() - changed > ABANDONED_S if unfinished else total > BUDGET:
            path.unlink(missing_ok=True)
            total -= size
