"""Replaces a file whole, and only if it still is what it was when it was read."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from .errors import PromptError

WAIT_S = 5.0
"""How long another process may hold a folder."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other llamadiffs from writing in the folder; a file system without locks does not.

    Raises PromptError when another one holds it for `WAIT_S`.
    """
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        yield  # writing says why
        return
    try:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise PromptError(
                        f"another llamadiff is writing in {folder}; try again"
                    ) from None
                time.sleep(0.005)
            except OSError:
                break
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes, seen: bytes | None) -> bool:
    """Put `data` into `path`, whole or not at all, if its content still is `seen`.

    None stands for no file. The answer is False, and the file as it was, if another program has
    changed it. Raises PromptError for a file that cannot be written.
    """
    draft = None
    try:
        name = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
        mode = 0o666 if seen is None else 0o600
        handle = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode
        )
        draft = name
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if seen is None:
            return _create(draft, path)
        shutil.copymode(path, draft)
        return _swap(draft, path, data, seen)
    except FileNotFoundError as error:
        if seen is not None and path.parent.is_dir():
            return False
        raise _unwritable(path, error) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def move_file(old: Path, new: Path) -> bool:
    """Give a file another name in its folder; False if that name is taken."""
    try:
        if not _create(old, new):
            return False
        old.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(new, error) from None
    return True


def _create(draft: Path, path: Path) -> bool:
    """Give the draft's content a second name that is free; the first may be gone afterwards."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        draft.replace(path)
    return True


def _swap(draft: Path, path: Path, data: bytes, seen: bytes) -> bool:
    """Exchange the two, look at what came out, and exchange them back if it is not `seen`.

    So nothing is lost that another program writes between a look and a rename.
    """
    if path.read_bytes() != seen:
        return False
    exchange = _exchange()
    if exchange is None or not exchange(draft, path):
        draft.replace(path)
        return True
    if draft.read_bytes() == seen:
        return True
    exchange(draft, path)
    with suppress(OSError):
        if draft.read_bytes() != data:  # written over ours in between: newer than what we put back
            exchange(draft, path)
    return False


@cache
def _exchange() -> Callable[[Path, Path], bool] | None:
    """Exchanges two files in one step, where the system can."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        call = getattr(library, "renamex_np", None)
        return call and (lambda a, b: call(os.fsencode(a), os.fsencode(b), 2) == 0)
    call = getattr(library, "renameat2", None)
    here = -100  # AT_FDCWD
    return call and (lambda a, b: call(here, os.fsencode(a), here, os.fsencode(b), 2) == 0)


def _unwritable(path: Path, error: OSError) -> PromptError:
    return PromptError(f"{path} cannot be written: {error.strerror or error}", source=str(path))
