"""A new file in the folder where llamadiff was started, for what is saved without a question."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


def save_here(text: str, suffix: str) -> Path:
    """Write a text to a file named by the time, and by a number where that is there already; which
    file that is. Raises OSError."""
    name, number = f"llamadiff-{datetime.now():%Y%m%d-%H%M%S}", 1
    while True:
        file = Path.cwd() / f"{name}{f'-{number}' * (number > 1)}{suffix}"
        try:
            with file.open("x", encoding="utf-8", newline="") as it:
                it.write(text)
        except FileExistsError:
            number += 1
        else:
            return file
