"""Text files as prompts use them: UTF-8, small, and ordinary files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from .errors import PromptError

MAX_BYTES = 1_000_000
"""The largest prompt, grammar, schema or snippet file that is read."""

_USUAL_BYTES = 32_768
"""Making room for `MAX_BYTES` at once would take longer than reading a usual file."""


def open_file(path: Path, what: str) -> BinaryIO:
    """An ordinary file, open for reading; `what` names its kind in errors.

    Raises PromptError for one that is not there or cannot be read, and for a folder, pipe or
    device, none of which is waited for.
    """
    source = str(path)
    # Whether it is a pipe is asked of what was opened: another may be there a moment later.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise PromptError(f"there is no {what} file at {source}", source=source) from None
    except (OSError, ValueError) as error:
        raise unreadable(source, error) from None
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    problem = f"is a folder, not a {what} file" if stat.S_ISDIR(mode) else "is not an ordinary file"
    raise PromptError(f"{source} {problem}", source=source)


def read_bytes(path: Path, what: str) -> bytes:
    """The content of a file of at most `MAX_BYTES`; `what` names its kind in errors.

    Raises PromptError as `open_file`, and for a file that is too large.
    """
    source = str(path)
    try:
        with open_file(path, what) as file:
            data = file.read(_USUAL_BYTES)
            if len(data) == _USUAL_BYTES:
                data += file.read(MAX_BYTES + 1 - _USUAL_BYTES)
    except OSError as error:
        raise unreadable(source, error) from None
    if len(data) > MAX_BYTES:
        raise PromptError(
            f"{source} is larger than {MAX_BYTES // 1_000_000} MB, too large for a {what} file",
            source=source,
        )
    return data


def as_text(data: bytes, path: Path, what: str) -> str:
    """Bytes as UTF-8 text, without a byte order mark. Raises PromptError for other text."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PromptError(
            f"{path} is not UTF-8 text, so it is not a {what} file", source=str(path)
        ) from None


def read_side_text(path: Path, what: str) -> str:
    """The text of a file that another file names; as `read_bytes` and `as_text`."""
    return as_text(read_bytes(path, what), path, what)


def unreadable(source: str, error: OSError | ValueError) -> PromptError:
    """The error for a file that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return PromptError(f"{source} cannot be read: {reason}", source=source)
