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


def model_folders() -> tuple[Path, ...]:
    """Folders of models and adapters that LLAMADIFF_MODELS lists, as PATH lists folders."""
    return _listed("LLAMADIFF_MODELS")


def adapters_folder() -> Path:
    """Where the adapters go that are trained in the app."""
    return _folder("data") / "adapters"


def _listed(variable: str) -> tuple[Path, ...]:
    folders = os.environ.get(variable, "").split(os.pathsep)
    return tuple(expanded(folder) for folder in folders if folder)


def prompt_folders() -> tuple[Path, ...]:
    """The person's own prompts, then the folders that LLAMADIFF_PROMPTS lists, as PATH does."""
    return (config_dir() / "prompts", *_listed("LLAMADIFF_PROMPTS"))


def snippet_folders() -> tuple[Path, ...]:
    """The person's own snippets."""
    return (config_dir() / "snippets",)


def suite_folders() -> tuple[Path, ...]:
    """The person's own suites."""
    return (config_dir() / "suites",)


def history_days() -> float | None:
    """After how many days LLAMADIFF_HISTORY_DAYS has runs removed; None for never.

    Raises CompareError for what is no such number.
    """
    text = os.environ.get("LLAMADIFF_HISTORY_DAYS", "").strip()
    try:
        days = float(text) if text else None
    except ValueError:
        days = -1.0
    if days is not None and not 0 < days < 100_000:
        from ..compare.errors import CompareError

        raise CompareError(f"LLAMADIFF_HISTORY_DAYS is {text!r}; give a number of days, as 90.")
    return days


def config_dir() -> Path:
    """What a person writes: prompts, snippets and suites."""
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
