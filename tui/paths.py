"""Where llamadiff keeps what a person owns; LLAMADIFF_HOME puts all of it in one place."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path

import platformdirs

from .safe_text import safe_line


def _folder(kind: str) -> Path:
    home = os.environ.get("LLAMADIFF_HOME")
    if home:
        return expanded(home) / kind
    return Path(getattr(platformdirs, f"user_{kind}_path")("llamadiff", appauthor=False))


def expanded(path: str) -> Path:
    """A path as a person writes it; `~` of a user there is not stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for ~nobody


def adapters_folder() -> Path:
    """Where the adapters go that are trained in the app."""
    return _folder("data") / "adapters"


def prompts_folder() -> Path:
    """The person's own prompts."""
    return config_dir() / "prompts"


def snippet_folders() -> tuple[Path, ...]:
    """The person's own snippets."""
    return (config_dir() / "snippets",)


def suite_folders() -> tuple[Path, ...]:
    """The person's own suites."""
    return (config_dir() / "suites",)


def config_dir() -> Path:
    """What a person writes: settings, prompts, snippets and suites."""
    return _folder("config")


def prompts_cache() -> Path:
    """What long prompts left in the models' caches."""
    return cache_dir() / "prompts"


def cache_dir() -> Path:
    """What can be made again: file hashes, converted adapters, the caches of long prompts."""
    return _writable(_folder("cache"))


def state_dir() -> Path:
    """What cannot be made again: the history, with versions of prompts and drafts."""
    return _folder("state")


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; not, where one may not look or a server is gone."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises then


def log_dir() -> Path:
    """The engine's log and the app's own."""
    return _writable(_folder("log"))


@functools.cache
def _writable(folder: Path) -> Path:
    """The folder; where it cannot be written, one that goes when the program ends."""
    try:
        private(folder)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    if not _passing:
        said = f"llamadiff: {folder} cannot be written; caches and logs are not kept."
        print(safe_line(said), file=sys.stderr)
        _passing.append(tempfile.TemporaryDirectory(prefix="llamadiff-"))
    return private(Path(_passing[0].name) / folder.name)


_passing: list[tempfile.TemporaryDirectory[str]] = []
"""The folder that stands in for those that cannot be written, once there is one."""


def private(folder: Path) -> Path:
    """The folder, made for this person alone if it is not there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
