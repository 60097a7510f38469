"""The library: prompt files in folders, found by path or name, searched, copied and renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .document import Prompt
from .errors import PromptError
from .files import as_text, read_bytes
from .parse import load_prompt, parse_prompt
from .suggest import did_you_mean

SHIPPED = Path(__file__).with_name("library")
"""The folder of the prompts that ship."""


@dataclass(frozen=True)
class PromptEntry:
    """A prompt file as the library lists it.

    `text` holds its texts as they are written in the file, without what other files give.
    `problem` says why the file is no prompt; then it is called by its slug and has nothing else.
    Files it names are not read, so that one that is missing shows when the prompt is loaded.
    """

    name: str
    slug: str
    path: Path
    tags: tuple[str, ...] = ()
    description: str = ""
    problem: str | None = None
    shipped: bool = False
    text: str = field(default="", repr=False)


class Library:
    """Prompts in `folders`, the first of them the person's own, and those that ship.

    Files are `*.toml` right in a folder; what lies deeper, such as parts for others to include, is
    not listed. Every call looks at the disk; files that have not changed are not read again.
    Safe to use from several threads.
    """

    def __init__(self, folders: Sequence[Path] = (), shipped: Path = SHIPPED) -> None:
        self.folders = tuple(folders)
        self.shipped = shipped
        self._known: dict[Path, tuple[tuple[int, ...], PromptEntry]] = {}

    # ------------------------------------------------------------------- finding

    def paths(self) -> list[Path]:
        """The files, folder by folder and by name; those that ship come last."""
        folders = dict.fromkeys((*self.folders, self.shipped))
        return [path for folder in folders for path in _by_stem(folder)]

    def entries(self) -> list[PromptEntry]:
        """Every prompt, and every file that is broken, in the order of `paths`."""
        paths = self.paths()
        entries = [self._entry(path) for path in paths]
        self._known = {path: self._known[path] for path in paths if path in self._known}
        return entries

    def search(self, text: str) -> list[PromptEntry]:
        """The entries that have every word of `text` somewhere, in the best place first.

        Places are, from the best: slug and name, tags, description, the prompt's text. A word that
        starts with `#` is a whole tag. Case does not matter.
        """
        return searched(self.entries(), text)

    def resolve(self, name_or_path: str) -> Prompt:
        """The prompt a person means by a path, a file's stem or a prompt's name.

        It is a path if it has a separator or ends in `.toml`. Otherwise the library is searched:
        for exactly that stem first, then, ignoring case, for a stem or name; and last comes a file
        of that name in the current folder.
        Raises PromptError for a name that is unknown (with near misses) or stands for several.
        """
        wanted = name_or_path.strip()
        if not wanted:
            raise PromptError("a prompt's name or path is needed, and an empty one was given")
        if "/" in wanted or "\\" in wanted or wanted.endswith(".toml"):
            return load_prompt(os.path.expanduser(wanted))  # noqa: PTH111 - Path's raises for ~nobody
        same_stem = [path for path in self.paths() if path.stem == wanted]
        if same_stem:
            return load_prompt(_only(wanted, same_stem))
        entries = self.entries()
        folded = wanted.casefold()
        matches = [it.path for it in entries if folded in (it.slug.casefold(), it.name.casefold())]
        if matches:
            return load_prompt(_only(wanted, matches))
        if Path(wanted).is_file():
            return load_prompt(wanted)
        stems = sorted({entry.slug for entry in entries})
        hint = did_you_mean(wanted, stems) or did_you_mean(wanted, [it.name for it in entries])
        if not hint:
            listed = ", ".join(stems[:20]) + (f" and {len(stems) - 20} more" * (len(stems) > 20))
            hint = f"; there are {listed}"
        raise PromptError(f"there is no prompt called {wanted}{hint}")

    # ------------------------------------------------------------------ changing

    def duplicate(self, entry: PromptEntry, slug: str, name: str = "") -> PromptEntry:
        """A copy of a prompt under another file name, comments included.

        It lies beside the original, one of a prompt that ships in the first of `folders`. Without a
        name it is called by its slug. Raises PromptError, also for a slug that is taken.
        """
        from .save import save_prompt

        folder = self._own_folder() if entry.shipped else entry.path.parent
        path = self._free(folder, slug)
        prompt = load_prompt(entry.path)
        save_prompt(replace(prompt, name=name or in_words(slug)), path)
        return self._entry(path)

    def rename(self, entry: PromptEntry, slug: str, name: str) -> PromptEntry:
        """Give a prompt another file name and name; either may stay as it is.

        Raises PromptError for a prompt that ships, a slug that is taken, and a prompt that others
        include.
        """
        from .replacing import held, move_file
        from .save import save_prompt

        _refuse_shipped(entry)
        path = entry.path
        if slug != entry.slug:
            path = self._free(entry.path.parent, slug)
            users = [it.slug for it in self.entries() if entry.path.name in _included(it)]
            if users:
                raise PromptError(
                    f"{entry.path.name} is included by {', '.join(users)}; change that first"
                )
        if name != entry.name:
            save_prompt(replace(load_prompt(entry.path), name=name), entry.path)
        if path != entry.path:
            with held(path.parent):
                if not move_file(entry.path, path):
                    raise PromptError(f"{path} is there already; give another name")
        return self._entry(path)

    def set_tags(self, entry: PromptEntry, tags: Iterable[str]) -> PromptEntry:
        """Give a prompt these tags and no others. Raises PromptError for a prompt that ships."""
        from .save import save_prompt

        _refuse_shipped(entry)
        cleaned = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        save_prompt(replace(load_prompt(entry.path), tags=cleaned), entry.path)
        return self._entry(entry.path)

    def new_path(self, slug: str) -> Path:
        """Where a new prompt of that slug belongs. Raises PromptError for one that is taken."""
        return self._free(self._own_folder(), slug)

    def _own_folder(self) -> Path:
        if not self.folders:
            raise PromptError("there is no folder for prompts of one's own")
        folder = self.folders[0]
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PromptError(f"{folder} cannot be made: {error.strerror or error}") from None
        return folder

    def _free(self, folder: Path, slug: str) -> Path:
        if not re.fullmatch(r"\w[\w .-]{0,99}", slug) or slug.endswith((" ", ".toml")):
            raise PromptError(f"{slug} cannot name a file; use letters, digits, - and _")
        path = folder / f"{slug}.toml"
        if path.exists():
            raise PromptError(f"{path} is there already; give another name")
        return path

    def _entry(self, path: Path) -> PromptEntry:
        """The file's entry, read anew if it is not known as it is now."""
        try:
            stat = path.stat()
            identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            identity = ()
        known = self._known.get(path)
        if known is None or known[0] != identity:
            known = self._known[path] = identity, _read(path, path.parent == self.shipped)
        return known[1]


def shipped() -> list[Prompt]:
    """The shipped prompts, ordered by slug."""
    return [load_prompt(path) for path in _by_stem(SHIPPED)]


def resolve(name_or_path: str, folders: Sequence[Path] = ()) -> Prompt:
    """`Library.resolve` in `folders` and among the shipped prompts."""
    return Library(folders).resolve(name_or_path)


def searched(entries: Iterable[PromptEntry], text: str) -> list[PromptEntry]:
    """Those of `entries` that fit, as `Library.search` finds them."""
    words = text.casefold().split()
    ranked = [(_rank(entry, words), entry) for entry in entries]
    found = [(rank, entry) for rank, entry in ranked if rank is not None]
    return [entry for _, entry in sorted(found, key=lambda it: it[0])]


def _by_stem(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"), key=lambda path: path.stem)


def _read(path: Path, is_shipped: bool) -> PromptEntry:
    try:
        if path.exists() and not path.is_file():
            raise PromptError(f"{path} is not an ordinary file")
        text = as_text(read_bytes(path, "prompt"), path, "prompt")
        prompt = parse_prompt(text, str(path), path=path, alone=True)
    except PromptError as error:
        return PromptEntry(path.stem, path.stem, path, problem=str(error), shipped=is_shipped)
    return PromptEntry(
        prompt.name,
        path.stem,
        path,
        prompt.tags,
        prompt.description,
        None,
        is_shipped,
        "\n".join(text for _, _, text in prompt.text_fields()),
    )


def _included(entry: PromptEntry) -> set[str]:
    """The names of the files that a prompt of the same folder includes, if it is readable."""
    from .fields import parse_table

    try:
        text = as_text(read_bytes(entry.path, "prompt"), entry.path, "prompt")
        include = parse_table(text, str(entry.path)).get("include", [])
    except PromptError:
        return set()
    return (
        {name for name in include if isinstance(name, str)} if isinstance(include, list) else set()
    )


def _rank(entry: PromptEntry, words: Sequence[str]) -> int | None:
    """The worst of the words' best places, from 0; None where one is nowhere."""
    places = (
        f"{entry.slug}\n{entry.name}".casefold(),
        "\n".join(entry.tags).casefold(),
        entry.description.casefold(),
        entry.text.casefold(),
    )
    worst = 0
    for word in words:
        if word.startswith("#") and len(word) > 1:
            if word[1:] not in places[1].split("\n"):
                return None
            continue
        place = next((i for i, text in enumerate(places) if word in text), None)
        if place is None:
            return None
        worst = max(worst, place)
    return worst


def _refuse_shipped(entry: PromptEntry) -> None:
    if entry.shipped:
        raise PromptError("The prompts that ship with llamadiff stay as they are; duplicate it.")


def in_words(slug: str) -> str:
    """A name for a prompt whose file is called so."""
    words = re.sub(r"[-_.]+", " ", slug).strip()
    return words[:1].upper() + words[1:] if words else slug


def _only(wanted: str, paths: Sequence[Path]) -> Path:
    if len(paths) > 1:
        raise PromptError(
            f"{wanted} could be any of {', '.join(map(str, paths))}; give the path of one"
        )
    return paths[0]
