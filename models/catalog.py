"""Which base models and adapters there are, and which of them a name or a path means."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import ModelError, plain
from .gguf.check import check_adapter, check_model
from .gguf.facts import AdapterFacts, ModelFacts
from .gguf.header import read_header
from .gguf.split import is_later_part, model_name

BUNDLED = Path(__file__).parent / "bundled"
"""The folder of the models and adapters that ship with llamadiff."""

Kind = Literal["model", "adapter"]


@dataclass(frozen=True)
class ModelEntry:
    """One base model of the catalog; its fields are those of `llamadiff models --json`.

    `bytes` is the size of all its parts, `context` in tokens. Where `problem` says in one
    sentence why the model cannot be used, what could not be found out is None.
    """

    name: str
    path: str
    source: str
    architecture: str | None
    parameters: int | None
    quantization: str | None
    bytes: int | None
    context: int | None
    problem: str | None


@dataclass(frozen=True)
class AdapterEntry:
    """One adapter of the catalog; its fields are those of `llamadiff adapters --json`.

    `rank` is the largest rank, `alpha` None where the file has none, `base` the base model's
    name as the file gives it. `problem` as in `ModelEntry`.
    """

    name: str
    path: str
    source: str
    architecture: str | None
    rank: int | None
    alpha: float | None
    targets: tuple[str, ...]
    base: str | None
    bytes: int | None
    problem: str | None


@dataclass(frozen=True)
class FoundModel:
    """A base model that can be used: its line in the catalog and all that is known of it."""

    entry: ModelEntry
    facts: ModelFacts


@dataclass(frozen=True)
class FoundAdapter:
    """An adapter that can be used: its line in the catalog and all that is known of it."""

    entry: AdapterEntry
    facts: AdapterFacts


@dataclass(frozen=True)
class _Place:
    """A file of the catalog, where it is from, and what it says it is."""

    path: Path
    source: str
    kind: Kind
    title: str | None

    @property
    def name(self) -> str:
        return model_name(self.path) if self.kind == "model" else self.path.stem


def list_models(extra: Sequence[Path] = ()) -> list[ModelEntry]:
    """The bundled base models, then those of `extra` (GGUF files, or folders of them).

    A file that cannot be used is listed with its problem; so is one too damaged to tell what
    it is.
    """
    return [_model_entry(place) for place in _places(extra) if place.kind == "model"]


def list_adapters(extra: Sequence[Path] = ()) -> list[AdapterEntry]:
    """The bundled adapters, then those of `extra` (GGUF files, or folders of them).

    An adapter that cannot be used is listed with its problem. Their numbers are not read.
    """
    return [_adapter_entry(place) for place in _places(extra) if place.kind == "adapter"]


def resolve_model(name_or_path: str, extra: Sequence[Path] = ()) -> FoundModel:
    """The base model meant by a path or by a name of the catalog (in any case).

    A name is a file's name, with or without `.gguf`, or its `general.name`. Raises ModelError
    when nothing, or more than one file, goes by that name, and when the file cannot be used.
    """
    path, source = _resolve(name_or_path, "model", extra)
    return _found_model(path, source)


def resolve_adapter(name_or_path: str, extra: Sequence[Path] = ()) -> FoundAdapter:
    """The adapter meant by a path or by a name of the catalog; as `resolve_model`."""
    path, source = _resolve(name_or_path, "adapter", extra)
    facts = check_adapter(path)
    return FoundAdapter(_entry_of_adapter(facts, source), facts)


def default_model() -> FoundModel:
    """The base model that ships with llamadiff, the first by name.

    Raises ModelError when this installation has none.
    """
    for place in _places(()):
        if place.kind == "model":
            return _found_model(place.path, place.source)
    raise ModelError("This installation has no bundled model; give a model (-m).")


def _places(extra: Sequence[Path]) -> Iterator[_Place]:
    """Every GGUF file of the catalog once, without the later parts of split models."""
    seen: set[str] = set()
    bundled = ((path, "bundled") for path in _files_in(BUNDLED))
    given = ((path, "given") for path in _given(extra))
    for path, source in (*bundled, *given):
        real = os.path.realpath(path)
        if real not in seen and not is_later_part(path):
            seen.add(real)
            yield _place(path, source)


def _given(extra: Iterable[Path]) -> Iterator[Path]:
    for path in extra:
        if path.is_dir():
            yield from _files_in(path)
        else:
            yield path.absolute()


def _files_in(folder: Path) -> list[Path]:
    return sorted(folder.absolute().glob("*.gguf"))


def _place(path: Path, source: str) -> _Place:
    try:
        metadata = read_header(path, stop_before_tokenizer=True, tensors=False).metadata
    except ModelError:
        return _Place(path, source, "model", None)
    title = metadata.get("general.name")
    return _Place(
        path,
        source,
        "adapter" if metadata.get("general.type") == "adapter" else "model",
        title if isinstance(title, str) else None,
    )


def _resolve(wanted: str, kind: Kind, extra: Sequence[Path]) -> tuple[Path, str]:
    """The path that `wanted` means, and its source. A file that exists there goes before names
    when `wanted` looks like a path."""
    path = Path(os.path.expanduser(wanted)).absolute()  # noqa: PTH111 - Path's raises for ~nobody
    if wanted.startswith("~") or "/" in wanted or os.sep in wanted:
        return path, "given"
    if wanted.lower().endswith(".gguf") and path.exists():
        return path, "given"
    places = list(_places(extra))
    matches = _matching(wanted, [place for place in places if place.kind == kind])
    if len(matches) == 1:
        return matches[0].path, matches[0].source
    if matches:
        candidates = ", ".join(str(match.path) for match in matches)
        raise ModelError(f"{wanted!r} is the name of several files; give one of {candidates}.")
    if path.is_file():
        return path, "given"
    raise _unknown(wanted, kind, places)


def _matching(wanted: str, places: Sequence[_Place]) -> list[_Place]:
    """The places that go by this name: their file's name first, what they call themselves next."""
    folded = wanted.casefold()

    by_file = [p for p in places if folded in (p.name.casefold(), p.path.name.casefold())]
    return by_file or [p for p in places if p.title and folded == p.title.casefold()]


def _unknown(wanted: str, kind: Kind, places: Sequence[_Place]) -> ModelError:
    import difflib

    other: Kind = "adapter" if kind == "model" else "model"
    if _matching(wanted, [place for place in places if place.kind == other]):
        words = {"model": "a base model", "adapter": "an adapter"}
        option = {"model": "-m", "adapter": "-a"}[other]
        return ModelError(
            f"{wanted!r} is {words[other]}, not {words[kind]}; give it with {option}."
        )
    names = {place.name.casefold(): place.name for place in places if place.kind == kind}
    near = [names[name] for name in difflib.get_close_matches(wanted.casefold(), names)]
    if near:
        return ModelError(
            f"No {kind} or file is called {wanted!r}; did you mean {' or '.join(near)}?"
        )
    known = f"choose one of {', '.join(names.values())}, or a path" if names else "give a path"
    return ModelError(f"No {kind} or file is called {wanted!r}; {known}.")


def _found_model(path: Path, source: str) -> FoundModel:
    facts = check_model(path)
    entry = ModelEntry(
        facts.name,
        str(path),
        source,
        facts.architecture,
        facts.parameters,
        facts.quantization,
        facts.bytes,
        facts.context,
        None,
    )
    return FoundModel(entry, facts)


def _model_entry(place: _Place) -> ModelEntry:
    try:
        return _found_model(place.path, place.source).entry
    except ModelError as error:
        return ModelEntry(
            plain(place.name),
            str(place.path),
            place.source,
            None,
            None,
            None,
            _size(place.path),
            None,
            str(error),
        )


def _entry_of_adapter(facts: AdapterFacts, source: str) -> AdapterEntry:
    return AdapterEntry(
        facts.name,
        str(facts.path),
        source,
        facts.architecture,
        facts.rank,
        facts.alpha,
        facts.targets,
        facts.base,
        facts.bytes,
        None,
    )


def _adapter_entry(place: _Place) -> AdapterEntry:
    try:
        return _entry_of_adapter(check_adapter(place.path, values=False), place.source)
    except ModelError as error:
        return AdapterEntry(
            plain(place.name),
            str(place.path),
            place.source,
            None,
            None,
            None,
            (),
            None,
            _size(place.path),
            str(error),
        )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
