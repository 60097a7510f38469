"""Whether this is the first run ever, which the data folder remembers."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .paths import private

_MARK = "welcomed"


def first_run(folder: Path | None) -> bool:
    """Whether nothing was run yet by whoever has this folder; no where nothing is remembered."""
    return folder is not None and not (folder / _MARK).exists()


def welcomed(folder: Path | None) -> None:
    """Remember that something was run."""
    if folder is not None and first_run(folder):
        with contextlib.suppress(OSError):  # what cannot be written is said where it matters
            (private(folder) / _MARK).touch()
