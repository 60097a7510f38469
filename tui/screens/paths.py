"""Completion of a path as it is typed."""

from __future__ import annotations

import os
from pathlib import Path

from ..paths import expanded

MOST = 200
"""The largest number of completions offered."""


def is_path(text: str) -> bool:
    """Whether a person is typing a path rather than a name."""
    return text.startswith(("/", "~", ".")) or "/" in text


def complete(text: str, suffix: str | tuple[str, ...], marker: str = "") -> list[str]:
    """Folders (with a slash) and files ending in `suffix` that `text` could become.

    A folder with a file named `marker` is offered as a whole, without the slash.
    `~` stays as it was typed; hidden names come up only once their dot is typed.
    """
    head, slash, start = text.rpartition("/")
    if not slash and text in ("~", ".", ".."):
        return [text + "/"]
    folder = expanded(head + slash or ".")
    try:
        with os.scandir(folder) as entries:
            found = [
                (not entry.is_dir(), head + slash + entry.name + _end(entry, marker))
                for entry in entries
                if entry.name.casefold().startswith(start.casefold())
                and (start.startswith(".") or not entry.name.startswith("."))
                and (entry.is_dir() or entry.name.casefold().endswith(suffix))
            ]
    except OSError:
        return []
    paths = [path for _, path in sorted(found)[:MOST]]
    return [head, *paths] if marker and not start and (folder / marker).is_file() else paths


def _end(entry: os.DirEntry[str], marker: str) -> str:
    whole = not entry.is_dir() or (marker and Path(entry.path, marker).is_file())
    return "" if whole else "/"
