"""The prompts that ship, and finding a prompt by its path or name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .document import Prompt
from .errors import PromptError
from .parse import load_prompt
from .suggest import did_you_mean

SHIPPED = Path(__file__).with_name("library")
"""The folder of the prompts that ship."""


def shipped() -> list[Prompt]:
    """The shipped prompts, ordered by slug."""
    return [load_prompt(path) for path in _files([SHIPPED])]


def resolve(name_or_path: str, folders: Sequence[Path] = ()) -> Prompt:
    """The prompt a person means by a path, a file's stem or a prompt's name.

    It is a path if it has a separator or ends in `.toml`. Otherwise `folders` and the shipped
    prompts are searched: for exactly that stem first, then, ignoring case, for a stem or name; and
    last comes a file of that name in the current folder.
    Raises PromptError for a name that is unknown (with near misses) or stands for several prompts.
    """
    wanted = name_or_path.strip()
    if not wanted:
        raise PromptError("a prompt's name or path is needed, and an empty one was given")
    if "/" in wanted or "\\" in wanted or wanted.endswith(".toml"):
        return load_prompt(Path(wanted).expanduser())
    files = _files([*folders, SHIPPED])
    same_stem = [path for path in files if path.stem == wanted]
    if same_stem:
        return load_prompt(_only(wanted, same_stem))
    names = {path: _name(path) for path in files}
    folded = wanted.casefold()
    matches = [
        path
        for path, name in names.items()
        if folded in (path.stem.casefold(), name.casefold() if name else None)
    ]
    if matches:
        return load_prompt(_only(wanted, matches))
    if Path(wanted).is_file():
        return load_prompt(wanted)
    stems = sorted({path.stem for path in files})
    known = stems + [name for name in names.values() if name]
    hint = (
        did_you_mean(wanted, stems)
        or did_you_mean(wanted, known)
        or f"; there are {', '.join(stems)}"
    )
    raise PromptError(f"there is no prompt called {wanted}{hint}")


def _files(folders: Sequence[Path]) -> list[Path]:
    return [path for folder in folders for path in _by_stem(folder)]


def _by_stem(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"), key=lambda path: path.stem)


def _name(path: Path) -> str | None:
    """The prompt's name; None for a file that is broken, which must not hide the others."""
    try:
        return load_prompt(path).name
    except PromptError:
        return None


def _only(wanted: str, paths: Sequence[Path]) -> Path:
    if len(paths) > 1:
        raise PromptError(
            f"{wanted} could be any of {', '.join(map(str, paths))}; give the path of one"
        )
    return paths[0]
