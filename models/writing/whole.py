"""Write a file whole or not at all: under another name beside its place, and moved there when done."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ModelError, size_in_words
from ..gguf.header import MAGIC

LONGEST = 200
"""Bytes of a file's name that go into the names of others; file systems allow some 255."""


def cut(name: str, n_bytes: int = LONGEST) -> str:
    """The beginning of a name, at most so many bytes of UTF-8 and whole characters."""
    return os.fsencode(name)[:n_bytes].decode("utf-8", "ignore")


def check_out(out: Path, inputs: Sequence[Path], needed: int) -> Path:
    """Where `out` leads, links followed: the place to write `needed` bytes to.

    What is there may only be a GGUF file, which will be replaced. Raises ModelError when it is
    anything else, when it is one of the `inputs` that the new file is made of, and when there is
    no such folder or no room.
    """
    try:
        place = Path(os.path.realpath(out))
        _refuse_what_is_there(out, place)
        if not place.parent.is_dir():
            raise ModelError(f"The folder {place.parent} does not exist; make it first.")
        for path in inputs:
            if place.exists() and path.exists() and place.samefile(path):
                raise ModelError(f"{out} is what the new file is made of; give another name.")
        free = shutil.disk_usage(place.parent).free
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise ModelError(f"{out} cannot be written: {why or error}.") from None
    if needed > free:
        raise ModelError(
            f"{place.parent} has {size_in_words(free)} free and about {size_in_words(needed)} are "
            "needed; make room or write elsewhere."
        )
    return place


def _refuse_what_is_there(out: Path, place: Path) -> None:
    """Raise ModelError for anything but a GGUF file, and OSError for what cannot be looked at."""
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise ModelError(f"{out} is a folder; name a file in it.")
    if not stat.S_ISREG(mode):
        raise ModelError(f"{out} is there and no regular file; give another name.")
    with place.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ModelError(
                f"{out} is there and no GGUF file, so it is not replaced; give another name."
            )


def part_of(out: Path) -> Path:
    """A new name beside `out`, for it while it is not yet whole."""
    return out.with_name(f".{cut(out.name)}.{secrets.token_hex(6)}.part")


def sweep_parts(out: Path) -> None:
    """Delete what whoever wrote `out` left there when it was killed. Nobody writes it now."""
    half = re.compile(rf"{re.escape(f'.{cut(out.name)}')}\.[0-9a-f]{{12}}\.part")
    with contextlib.suppress(OSError):
        for path in out.parent.iterdir():
            if half.fullmatch(path.name):
                path.unlink()


@contextlib.contextmanager
def scratch(out: Path) -> Iterator[Path]:
    """A new, empty file beside `out`, with the mode that any new file has; deleted in the end.

    Raises ModelError when there can be none.
    """
    part = part_of(out)
    try:  # from before there is a file: a signal may come as soon as there is one
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise ModelError(f"{out} cannot be written: {error.strerror}.") from None
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A new file beside `out`, a place from `check_out`, that takes it once the block has ended well.

    Raises ModelError when it cannot.
    """
    with scratch(out) as part:
        yield part
        try:
            with part.open("rb") as file:
                os.fsync(file.fileno())
            _refuse_what_is_there(out, out)  # which may have come meanwhile
            part.replace(out)
        except OSError as error:
            raise ModelError(f"{out} cannot be written: {error.strerror}.") from None
