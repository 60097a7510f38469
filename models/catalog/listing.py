"""Puts the catalog together: every place looked through, every head read once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..adapters.convertible import refusal
from ..errors import ModelError, named, plain
from ..gguf.check import check_adapter, check_model
from ..gguf.facts import AdapterFacts, ModelFacts
from . import places
from .cache import Remembered, recall, remember
from .entries import AdapterEntry, FoundAdapter, FoundModel, Kind, ModelEntry
from .files import PEFT_CONFIG, Candidate, no_folder, one_file, tree
from .heads import Head, careful_head, read_head
from .hub import hub
from .judge import adapter_entry, model_entry, problem_of
from .names import Item, ambiguous, exactly, roughly, shown_names, unknown
from .ollama import ollama
from .peft import PeftFolderError
from .places import Place

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told how many files have been looked at, and how many there are."""

Facts = TypeVar("Facts", ModelFacts, AdapterFacts)

_STEP = 50
"""Files between two reports of progress."""


class Catalog:
    """What is on this disk: bundled, in the folders and files `extra`, and other programs' models.

    `own` is the folder of the adapters trained here, which need not be there yet. `extra` are files,
    or folders and all in them; with `only` nothing else is listed. Only the heads of files are read,
    and remembered in `cache_dir`. The disk is looked through when something is first asked for, and again by
    `scan`. What cannot be used is listed with its problem, behind the others; so is a file too
    damaged to tell what it is.
    """

    def __init__(
        self,
        extra: Sequence[Path] = (),
        *,
        own: Path | None = None,
        cache_dir: Path | None = None,
        only: bool = False,
    ) -> None:
        self._extra = tuple(extra)
        self._own = own
        self._only = only
        self._cache_dir = cache_dir
        self._items: list[Item] | None = None

    def scan(self, on_progress: Progress | None = None) -> None:
        """Look through all places. What cannot be read is listed with the reason, not raised."""
        found = [*_given(self._extra)]
        if not self._only:
            own = _in_place(Place("yours", self._own)) if self._own is not None else ()
            found = [*_bundled(), *own, *found, *_of_programs()]
        self._items = _items(found, self._cache_dir, on_progress)

    def models(self) -> list[ModelEntry]:
        """The base models, bundled ones first and those with a problem last."""
        entries = [model_entry(item) for item in self._all() if item.kind == "model"]
        return sorted(entries, key=lambda entry: entry.problem is not None)

    def adapters(self) -> list[AdapterEntry]:
        """The adapters, in the same order. Their numbers are not looked at."""
        entries = [adapter_entry(item) for item in self._all() if item.kind == "adapter"]
        return sorted(entries, key=lambda entry: entry.problem is not None)

    def model(self, name_or_path: str) -> FoundModel:
        """The base model meant by a path or a name (in any case), its file fully checked.

        A name is what the catalog shows, a file's name with or without `.gguf`, an Ollama model's
        with or without `:latest`, `org/repo` or `org/repo:Q4_K_M` of a cache, `general.name`, or a
        part of a name that no other has. Raises ModelError when nothing, or more than one file,
        goes by that name, and when the file cannot be used.
        """
        path, item = self._meant(name_or_path, ("model",))
        return _found_model(path, item)

    def adapter(self, name_or_path: str) -> FoundAdapter:
        """The adapter meant by a path or a name; as `model`.

        Raises PeftFolderError for a folder that `convert` would take.
        """
        path, item = self._meant(name_or_path, ("adapter",))
        return _found_adapter(path, item)

    def either(self, name_or_path: str) -> FoundModel | FoundAdapter | Path:
        """The model or adapter meant by a path or a name, an adapter where both go by it; as `model`.

        A PEFT folder is given as its path.
        """
        path, item = self._meant(name_or_path, ("adapter", "model"))
        if _exists(path / PEFT_CONFIG):
            return path
        kind = item.kind if item else careful_head(str(path)).kind
        return _found_adapter(path, item) if kind == "adapter" else _found_model(path, item)

    def _all(self) -> list[Item]:
        if self._items is None:
            self.scan()
        return self._items or []

    def _meant(self, wanted: str, kinds: tuple[Kind, ...]) -> tuple[Path, Item | None]:
        """The path that `wanted` means, and its item where the catalog has one.

        What is written as a path is one. Else names go first, those of the bundled files before
        others', so that they cost no search; then files that are there, and what `roughly` finds.
        """
        path = Path(os.path.expanduser(wanted)).absolute()  # noqa: PTH111 - Path's raises for ~nobody
        like_path = wanted.startswith(("~", ".", "/")) or os.path.isabs(wanted)  # noqa: PTH117
        slashed = "/" in wanted or os.sep in wanted
        is_file = wanted.lower().endswith(".gguf")
        if (like_path and slashed) or wanted.startswith("~") or (is_file and _exists(path)):
            return path, self._listed_at(path)
        for items in (_items(_bundled(), None, None), self._all()):
            if matches := exactly(wanted, [item for item in items if item.kind in kinds]):
                return _one_of(wanted, matches, kinds[0])
        if _exists(path) and (path.is_file() or _exists(path / PEFT_CONFIG)):
            return path, self._listed_at(path)
        if matches := roughly(wanted, [item for item in self._all() if item.kind in kinds]):
            return _one_of(wanted, matches)
        if slashed and (is_file or _exists(path)):
            return path, None
        raise unknown(wanted, kinds[0] if len(kinds) == 1 else None, self._all())

    def _listed_at(self, path: Path) -> Item | None:
        """The item of a file, if the disk has been looked through."""
        return next((it for it in self._items or () if it.candidate.path == str(path)), None)


def _one_of(wanted: str, items: list[Item], first: Kind | None = None) -> tuple[Path, Item]:
    """The one of these that can be used, or is of the kind `first`; ModelError for several."""
    items = [item for item in items if problem_of(item) is None] or items
    items = [item for item in items if item.kind == first] or items
    if len(items) > 1:
        raise ambiguous(wanted, items)
    return Path(items[0].candidate.path), items[0]


def default_model() -> FoundModel:
    """The base model that ships with llamadiff, the first by name.

    Raises ModelError when this installation has none.
    """
    for item in _items(_bundled(), None, None):
        if item.kind == "model":
            return _found_model(Path(item.candidate.path), item)
    raise ModelError("This installation has no bundled model; give a model (-m).")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


# ----------------------------------------------------------------------- places


def _bundled() -> Iterator[Candidate]:
    return _in_place(Place("bundled", places.BUNDLED))


def _given(extra: Iterable[Path]) -> Iterator[Candidate]:
    for path in extra:
        whole = path.absolute()
        if whole.is_dir():
            for place in places.given_places(whole):
                yield from _in_place(place, named=place.folder == whole)
        else:
            yield one_file(str(whole), "given")


def _of_programs() -> Iterator[Candidate]:
    for place in dict.fromkeys(places.program_places()):
        yield from _in_place(place)


def _in_place(place: Place, *, named: bool = False) -> Iterator[Candidate]:
    """What lies in a place. One that is not there holds nothing, unless a person named it."""
    folder = str(place.folder)
    try:
        if place.layout == "hub":
            yield from hub(place.folder, place.source)
        elif place.layout == "ollama":
            yield from ollama(place.folder)
        else:
            yield from tree(folder, place.source)
    except OSError as error:
        if named or isinstance(error, PermissionError):
            yield no_folder(folder, place.source, error)


# ------------------------------------------------------------------------ heads


def _items(
    candidates: Iterable[Candidate], cache_dir: Path | None, on_progress: Progress | None
) -> list[Item]:
    """The candidates with their heads and names, each file once."""
    once = _once(candidates)
    remembered, new = recall(cache_dir), dict[str, Remembered]()
    items: list[Item] = []
    for number, candidate in enumerate(once):
        if on_progress is not None and number % _STEP == 0:
            on_progress(number, len(once))
        head = _head(candidate, remembered, new)
        is_adapter = candidate.peft or head.kind == "adapter"
        if candidate.unseen or not is_adapter:
            items.append(Item(candidate, head, "model"))
        if candidate.unseen or is_adapter:
            items.append(Item(candidate, head, "adapter"))
    remember(new, cache_dir)
    if on_progress is not None:
        on_progress(len(once), len(once))
    return _named(items)


def _once(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each file once, by the name it was found under first, the others as further names."""
    found: dict[object, Candidate] = {}
    for candidate in candidates:
        identity = candidate.identity
        key = candidate.path if identity is None else identity[:2]
        known = found.setdefault(key, candidate)
        if known is not candidate and known.name != candidate.name:
            aliases = (*known.aliases, candidate.name, *candidate.aliases)
            found[key] = replace(known, aliases=aliases)
    return list(found.values())


def _head(
    candidate: Candidate, remembered: dict[str, Remembered], new: dict[str, Remembered]
) -> Head:
    if candidate.peft or candidate.problem is not None:
        return Head()
    path, identity = candidate.path, candidate.identity
    if identity is None:
        return careful_head(path)
    known = remembered.get(path)
    if known is not None and known.identity == identity:
        return known.head
    try:
        head = careful_head(path) if candidate.split else read_head(path, identity[2])
    except Exception as error:  # what nobody foresaw costs this file, not the whole list
        log.exception("%s", path)
        return Head(problem=f"{plain(path)} cannot be understood ({type(error).__name__}).")
    if path.isprintable():
        new[path] = Remembered(identity, head)
    return head


def _named(items: Sequence[Item]) -> list[Item]:
    named: list[Item] = []
    for kind in ("model", "adapter"):
        of_kind = [item for item in items if item.kind == kind]
        names = shown_names([item.candidate for item in of_kind])
        named += [replace(i, name=name) for i, name in zip(of_kind, names, strict=True)]
    return named


# ------------------------------------------------------------------ whole files


def _found_model(path: Path, item: Item | None) -> FoundModel:
    facts = _by_its_name(check_model, path, item)
    entry = ModelEntry(
        item.name if item else facts.name,
        str(path),
        item.candidate.source if item else "given",
        facts.architecture,
        facts.parameters,
        facts.quantization,
        facts.bytes,
        facts.context,
        None,
    )
    return FoundModel(entry, facts)


def _by_its_name(check: Callable[[Path], Facts], path: Path, item: Item | None) -> Facts:
    """The facts, and what is wrong with the file, by the name of an item whose path says nothing."""
    if item is None or item.candidate.source != "ollama":
        return check(path)
    try:
        return replace(check(path), name=item.name)
    except ModelError as error:
        raise ModelError(named(str(error), path, item.name)) from None


def _found_adapter(path: Path, item: Item | None) -> FoundAdapter:
    if _exists(path / PEFT_CONFIG):
        if reason := refusal(path):
            raise ModelError(reason)
        raise PeftFolderError(item.candidate.name if item else path.resolve().name, path)
    facts = _by_its_name(check_adapter, path, item)
    entry = AdapterEntry(
        item.name if item else facts.name,
        str(path),
        item.candidate.source if item else "given",
        facts.architecture,
        facts.rank,
        facts.alpha,
        facts.targets,
        facts.base,
        facts.bytes,
        None,
    )
    return FoundAdapter(entry, facts)
