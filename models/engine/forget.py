"""Deletes the saved caches of long prompts; loads nothing of llama.cpp, as `saved` does."""

from __future__ import annotations

import contextlib
from pathlib import Path


def forget(folder: Path) -> None:
    """Delete the files in a folder of saved prompts, as far as that can be."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            with contextlib.suppress(OSError):
                path.unlink()
