"""Finds the files of a folder: GGUF files with their parts grouped, and PEFT folders."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_DEPTH = 12
"""How many folders deep a tree is searched."""

MAX_FOLDERS = 50_000
"""How many folders of a tree are searched."""

MAX_SECONDS = 30.0
"""How long a tree is searched."""

PEFT_CONFIG = "adapter_config.json"
HUB_PREFIX = "models--"
"""What the folder of a repository begins with in a hub's cache."""

_PART = re.compile(
    r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL | re.IGNORECASE
)
_GENERIC = frozenset({"model", "adapter", "adapter_model", "ggml-model", "ggml-adapter-model"})
"""File names that say nothing: such a file goes by the name of its folder."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file or folder that may be a model or an adapter, not yet looked into.

    `name` is what people would type, `aliases` are other names for it, `owner` is what tells it
    from another of the same name: the path of its folder, or the repository it is from.
    `identity` is the device, inode, size and modification time (ns) of the file; None where it is
    not to be had. Of a split model it is those of the first part, with the size of all parts and a
    number that changes when a part's size or time does. A `problem` is a sentence without the
    path; `quantization` is what others than the file say of it. An `unseen` one is a folder that
    may hold models and adapters.
    """

    path: str
    source: str
    name: str
    owner: str
    identity: tuple[int, int, int, int] | None
    bytes: int | None
    aliases: tuple[str, ...] = ()
    quantization: str | None = None
    problem: str | None = None
    peft: bool = False
    split: bool = False
    unseen: bool = False


@dataclass(slots=True)
class _Split:
    """The parts of one split model: their numbers, and bytes together."""

    count: int
    parts: dict[int, tuple[str, os.stat_result]] = field(default_factory=dict)


def tree(
    root: str, source: str, owner: str | None = None, *, links: bool = True
) -> Iterator[Candidate]:
    """The models and adapters in a folder and the folders in it, hidden ones left out.

    `owner` is whom they are from, where that is known. Links to folders are followed if `links`,
    and never in a repository of a hub's cache. Where the search is cut short the last candidate is
    the root, with that for its problem. A folder that cannot be read is a candidate with that for
    its problem, unless it is the root: raises OSError.
    """
    seen: set[tuple[int, int]] = set()
    todo = [(root, 0, links)]
    end, cut = time.monotonic() + MAX_SECONDS, ""
    while todo:
        if len(seen) >= MAX_FOLDERS:
            cut = f"in {MAX_FOLDERS:,} folders"
            break
        if time.monotonic() >= end:
            cut = f"for {MAX_SECONDS:g} seconds"
            break
        folder, depth, follow = todo.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 - paths are text here: a tenth of the time
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                children = sorted(listing, key=lambda child: child.name)
        except OSError as error:
            if folder == root:
                raise
            yield no_folder(folder, source, error)
            continue
        whose = owner if owner is not None else _relative(folder, root)
        yield from _in_folder(folder, children, source, whose)
        folders = [child for child in children if _is_folder(child, follow=follow)]
        if depth < MAX_DEPTH:
            todo += [
                (child.path, depth + 1, follow and not child.name.startswith(HUB_PREFIX))
                for child in reversed(folders)
            ]
        elif folders:
            cut = f"{MAX_DEPTH} folders deep"
    if cut:
        problem = f"was searched {cut} and no further; give a folder nearer to the files."
        yield Candidate(root, source, root, "", None, None, problem=problem, unseen=True)


def no_folder(folder: str, source: str, error: OSError) -> Candidate:
    """A folder in which nothing could be looked for."""
    problem = f"cannot be read: {error.strerror or error}."
    return Candidate(folder, source, folder, "", None, None, problem=problem, unseen=True)


def one_file(path: str, source: str) -> Candidate:
    """A file that a person named."""
    folder, name = os.path.split(path)
    return _file(path, name, source, os.path.basename(folder), _status(path))  # noqa: PTH119


def _in_folder(
    folder: str, children: list[os.DirEntry[str]], source: str, owner: str
) -> Iterator[Candidate]:
    splits: dict[tuple[str, int], _Split] = {}
    for child in children:
        name = child.name
        if name == PEFT_CONFIG:
            yield _peft(folder, children, source, owner)
        if name[-5:].lower() != ".gguf" or name.startswith("."):
            continue
        status = _status(child.path)
        part = _PART.fullmatch(name) if "-of-" in name else None
        count, number = (int(part["count"]), int(part["number"])) if part else (0, 0)
        regular = status is not None and stat.S_ISREG(status.st_mode)
        if part is None or status is None or not regular or not 1 <= number <= count >= 2:
            if status is None or not stat.S_ISDIR(status.st_mode):
                yield _file(child.path, name, source, owner, status)
            continue
        split = splits.setdefault((part["stem"], count), _Split(count))
        split.parts[number] = (child.path, status)
    for (stem, _), split in splits.items():
        yield _split(stem, split, source, owner)


def _file(
    path: str, name: str, source: str, owner: str, status: os.stat_result | None
) -> Candidate:
    stem = name[:-5] if name[-5:].lower() == ".gguf" else name
    if status is not None and not stat.S_ISREG(status.st_mode):
        # To open a pipe or a device could take for ever.
        problem = "is not a regular file."
        return Candidate(path, source, stem, owner, _identity(status), None, problem=problem)
    if stem.lower() in _GENERIC and owner:
        title = owner.rpartition("/")[2]
        return Candidate(path, source, title, owner, _identity(status), _size(status), (stem,))
    return Candidate(path, source, stem, owner, _identity(status), _size(status))


def _split(stem: str, split: _Split, source: str, owner: str) -> Candidate:
    first = min(split.parts)
    path, status = split.parts[first]
    missing = [n for n in range(1, split.count + 1) if n not in split.parts][:3]
    problem = None
    if missing:
        names = ", ".join(f"{stem}-{number:05d}-of-{split.count:05d}.gguf" for number in missing)
        problem = f"is split into {split.count} files and lacks {names}; fetch the model again."
    size = sum(part.st_size for _, part in split.parts.values())
    changed = [(n, part.st_size, part.st_mtime_ns) for n, (_, part) in sorted(split.parts.items())]
    digest = hashlib.blake2b(repr(changed).encode(), digest_size=7).digest()
    identity = (status.st_dev, status.st_ino, size, int.from_bytes(digest, "little"))
    return Candidate(path, source, stem, owner, identity, size, problem=problem, split=True)


def _peft(folder: str, children: list[os.DirEntry[str]], source: str, owner: str) -> Candidate:
    weights = [c for c in children if c.name.endswith((".safetensors", ".bin"))]
    sizes = [status.st_size for c in weights if (status := _status(c.path)) is not None]
    name = owner.rpartition("/")[2] or os.path.basename(folder)  # noqa: PTH119
    return Candidate(folder, source, name, owner, _identity(_status(folder)), sum(sizes), peft=True)


def _is_folder(child: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return not child.name.startswith(".") and child.is_dir(follow_symlinks=follow)
    except OSError:
        return False


def _relative(folder: str, root: str) -> str:
    """The folder as seen from the root, with slashes; the root goes by its own name."""
    path = os.path.relpath(folder, root) if folder != root else os.path.basename(root)  # noqa: PTH119
    return path.replace(os.sep, "/")


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - as above
    except (OSError, ValueError):
        return None


def _identity(status: os.stat_result | None) -> tuple[int, int, int, int] | None:
    if status is None:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _size(status: os.stat_result | None) -> int | None:
    return None if status is None else status.st_size
