"""The suites that ship, and suites by their names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...prompts.errors import PromptError
from ...prompts.fields import parse_table
from ...prompts.files import as_text, read_bytes
from ...prompts.suggest import did_you_mean
from ..errors import CompareError

SHIPPED = Path(__file__).parent.parent / "suites"
PROMPT_KEYS = {"system", "user", "messages"}
SUITE_KEYS = {"dataset", "checks", "variants"}
MOST_PATH = 200
"""A longer text names no file."""


def shipped_suites() -> list[Path]:
    """Their files, by name."""
    return sorted(SHIPPED.glob("*.toml"))


def suites_in(folders: Sequence[Path]) -> list[Path]:
    """The suites' files in folders of a person's own, by name: every .toml file but prompts.

    Folders that are not there have none.
    """
    found = {path for folder in folders for path in folder.glob("*.toml")}
    return sorted(path for path in found if not _is_prompt(path))


def _is_prompt(path: Path) -> bool:
    """Whether a file says what a prompt does; one that cannot be read may be a suite."""
    try:
        table = parse_table(as_text(read_bytes(path, "suite"), path, "suite"), str(path))
    except PromptError:
        return False
    return bool(PROMPT_KEYS & table.keys()) and not SUITE_KEYS & table.keys()


def ships(path: Path) -> bool:
    """Whether a suite's file is one of those that ship."""
    return path.resolve().parent == SHIPPED.resolve()


def files_of(path: Path) -> list[Path]:
    """A suite's file with all files in its folder or below that it names, and that its prompts name.

    Raises PromptError.
    """
    root, found = path.parent.resolve(), list[Path]()
    left = [path.resolve()]
    while left:
        file = left.pop(0)
        if file in found or not file.is_relative_to(root):
            continue
        found.append(file)
        if file.suffix == ".toml":
            named = _texts(
                parse_table(as_text(read_bytes(file, "suite"), file, "suite"), str(file))
            )
            left += [it for text in named for it in _named(file.parent, text)]
    return found


def _texts(value: object) -> Iterator[str]:
    """All texts in a table, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _named(folder: Path, text: str) -> list[Path]:
    """The files that a text names: a path, adapters as `a+b@0.5`, a function as `file.py:name`."""
    parts = [text, text.rpartition(":")[0], *(it.partition("@")[0] for it in text.split("+"))]
    short = (it for it in parts if it and it.isprintable() and len(it) < MOST_PATH)
    return [(folder / it).resolve() for it in short if (folder / it).is_file()]


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
