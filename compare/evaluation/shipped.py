"""The suites that ship, and suites by their names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ...prompts.suggest import did_you_mean
from ..errors import CompareError

SHIPPED = Path(__file__).parent.parent / "suites"


def shipped_suites() -> list[Path]:
    """Their files, by name."""
    return sorted(SHIPPED.glob("*.toml"))


def suites_in(folders: Sequence[Path]) -> list[Path]:
    """The suites' files in folders of a person's own, by name: every .toml file.

    Folders that are not there have none.
    """
    return sorted({path for folder in folders for path in folder.glob("*.toml")})


def find_suite(name_or_path: str, folders: Sequence[Path] = ()) -> Path:
    """The file meant: a path if it has a separator or ends in .toml, else the suite of this name in
    a folder of the person's own, or one that ships.

    Raises CompareError.
    """
    if "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(".toml"):
        path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111 - Path's raises for ~nobody
        if not path.is_file():
            raise CompareError(f"There is no suite {path}.")
        return path
    known = {path.stem: path for path in (*shipped_suites(), *suites_in(folders))}
    if name_or_path not in known:
        hint = did_you_mean(name_or_path, known) or f"; there are {', '.join(known)}"
        raise CompareError(f"There is no suite {name_or_path}{hint}, or give a .toml file.")
    return known[name_or_path]
