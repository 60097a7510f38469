"""Deletes the saved caches of long prompts; loads nothing of llama.cpp, as `saved` does."""

from __future__ import annotations

import contextlib
from pathlib import Path


def forget(folder: Path, unused_since: float | None = None) -> None:
    """Delete the files in a folder of saved prompts, as far as that can be: all, or those that
    nothing used since a time, in seconds since 1970 UTC."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            with contextlib.suppress(OSError):
                if unused_since is None or path.stat().st_mtime < unused_since:
                    path.unlink()
