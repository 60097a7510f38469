"""Rows to train on that ship, and rows by their names."""

from __future__ import annotations

import os
from pathlib import Path

from ...prompts.datasets import SUFFIXES
from ...prompts.suggest import did_you_mean
from ..errors import CompareError

ROWS = Path(__file__).parent.parent / "rows"


def shipped_rows() -> list[Path]:
    """Their files, by name."""
    return sorted(ROWS.glob("*.jsonl"))


def find_rows(name_or_path: str) -> Path:
    """The file meant: a path if it has a separator or a dataset's ending, else the rows of this name
    that ship.

    Raises CompareError.
    """
    if "/" in name_or_path or "\\" in name_or_path or name_or_path.lower().endswith(SUFFIXES):
        path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111 - Path's raises for ~nobody
        if not path.is_file():
            raise CompareError(f"There is no data file {path}.")
        return path
    known = {path.stem: path for path in shipped_rows()}
    if name_or_path not in known:
        hint = did_you_mean(name_or_path, known) or f"; those that ship are {', '.join(known)}"
        raise CompareError(
            f"There are no rows {name_or_path}{hint}, or give a .jsonl or .csv file."
        )
    return known[name_or_path]
