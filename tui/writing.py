"""Figures written to a new file, as JSON or CSV by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .safe_text import safe_line


def write_new(
    path: Path, what: str, document: Callable[[], object], table: Callable[[], str]
) -> str:
    """Write `document` or `table` to a file that is not there yet; what came of it, a sentence."""
    name = safe_line(str(path))
    if path.suffix not in (".json", ".csv"):
        return f"{name} does not end in .json or .csv; nothing was written."
    if path.suffix == ".csv":
        text = table()
    else:
        text = json.dumps(document(), ensure_ascii=False, indent=2) + "\n"
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return f"{name} is there already; nothing was written."
    except OSError as error:
        return f"{name} cannot be written: {error.strerror}."
    return f"Wrote {what} to {name}."
