"""Names in a catalog: made unique, and found again from what a person types."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ModelError, plain
from .entries import Kind
from .files import Candidate
from .heads import Head, quantization_in


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the catalog, what its head says, and the name it goes by."""

    candidate: Candidate
    head: Head
    kind: Kind
    name: str = ""

    @property
    def names(self) -> set[str]:
        """What may be typed for it, folded: its name, its file's name, whose it is."""
        c = self.candidate
        names = {self.name, c.name, f"{c.owner}/{c.name}", *c.aliases}
        names |= {f"{name}.gguf" for name in (c.name, *c.aliases)}
        return {plain(name).casefold() for name in names}


def shown_names(candidates: Sequence[Candidate]) -> list[str]:
    """A name for each that no other has.

    The bundled ones go by their file's name; others do where it is theirs alone, else with whose
    they are before it, and where that is not enough by their path.
    """
    plainly = [plain(c.name) for c in candidates]
    owned = [_owned(c) for c in candidates]
    count = Counter(name.casefold() for name in plainly)
    count_owned = Counter(name.casefold() for name in owned)
    ours = {n.casefold() for n, c in zip(plainly, candidates, strict=True) if c.source == "bundled"}
    names: list[str] = []
    for candidate, name, longer in zip(candidates, plainly, owned, strict=True):
        if candidate.source == "bundled" or count[name.casefold()] == 1:
            names.append(name)
        elif count_owned[longer.casefold()] == 1 and longer.casefold() not in ours:
            names.append(longer)
        else:
            names.append(plain(candidate.path))
    return names


def _owned(candidate: Candidate) -> str:
    owner = candidate.owner
    if owner.rpartition("/")[2] == candidate.name:
        return plain(owner)
    return plain(f"{owner}/{candidate.name}")


def exactly(wanted: str, items: Sequence[Item]) -> list[Item]:
    """The items that go by this name, in any case: what the catalog shows, else a file's name."""
    folded = plain(wanted).casefold()
    shown = [item for item in items if item.name.casefold() == folded]
    return shown or [item for item in items if folded in item.names]


def roughly(wanted: str, items: Sequence[Item]) -> list[Item]:
    """The items meant by `org/repo[:TYPE]`, what files call themselves, or a part of a name."""
    folded = plain(wanted).casefold()
    if not any(character.isalnum() for character in folded):
        return []
    return (
        in_repository(folded, items)
        or [item for item in items if (item.head.title or "").casefold() == folded]
        or [item for item in items if any(folded in name for name in _short_names(item))]
    )


def in_repository(wanted: str, items: Sequence[Item]) -> list[Item]:
    """The files of `org/repo`, or those of `org/repo:TYPE`; the main revision's before others'.

    The type is what a file's name ends in, as on the hub, or else what its header says.
    """
    repository, _, kind = wanted.casefold().partition(":")
    if "/" not in repository:
        return []
    mine = [item for item in items if _owner(item).partition("@")[0] == repository]
    if kind:
        called = [item for item in mine if _ends_in(item.candidate.name.casefold(), kind)]
        mine = called or [item for item in mine if kind == _type(item)]
    return [item for item in mine if "@" not in _owner(item)] or mine


def _owner(item: Item) -> str:
    return plain(item.candidate.owner).casefold()


def _ends_in(name: str, kind: str) -> bool:
    return name.endswith(tuple(f"{mark}{kind}" for mark in "-._"))


def _type(item: Item) -> str:
    candidate = item.candidate
    known = item.head.quantization or candidate.quantization or quantization_in(candidate.name)
    return (known or "").casefold()


def _short_names(item: Item) -> set[str]:
    """What may be typed in part, folded: not the path that some go by."""
    names = {item.candidate.name, *item.candidate.aliases}
    names |= {item.name} - {item.candidate.path}
    return {plain(name).casefold() for name in names}


def ambiguous(wanted: str, items: Sequence[Item]) -> ModelError:
    """That a name is not enough, with those that have it."""
    candidates = ", ".join(map(_with_path, items[:_MOST_NAMES]))
    more = f" and {len(items) - _MOST_NAMES:,} more" if len(items) > _MOST_NAMES else ""
    return ModelError(f"{wanted!r} may be any of several files; give one of {candidates}{more}.")


def _with_path(item: Item) -> str:
    """The name, and the path where that says more."""
    path = item.candidate.path
    says_no_more = item.name == path or item.candidate.source == "ollama"
    return item.name if says_no_more else f"{item.name} ({path})"


def unknown(wanted: str, kind: Kind | None, items: Sequence[Item]) -> ModelError:
    """That nothing of a kind, or of any, goes by a name, with what may have been meant."""
    import difflib

    other: Kind = "adapter" if kind == "model" else "model"
    others = [item for item in items if item.kind == other]
    if kind and (exactly(wanted, others) or roughly(wanted, others)):
        words = {"model": "a base model", "adapter": "an adapter"}
        option = {"model": "-m", "adapter": "-a"}[other]
        return ModelError(
            f"{wanted!r} is {words[other]}, not {words[kind]}; give it with {option}."
        )
    if _REPOSITORY.fullmatch(wanted):
        return _not_fetched(wanted, items)
    names = {item.name.casefold(): item.name for item in items if kind in (item.kind, None)}
    near = [names[name] for name in difflib.get_close_matches(wanted.casefold(), names)]
    if near:
        return ModelError(
            f"No {kind or 'model, adapter'} or file is called {wanted!r}; did you mean {' or '.join(near)}?"
        )
    listed = list(names.values())
    more = (
        f" (`llamadiff {kind or 'model'}s` lists all {len(listed)})"
        if len(listed) > _MOST_NAMES
        else ""
    )
    known = f"choose one of {', '.join(listed[:_MOST_NAMES])}{more}, or a path"
    return ModelError(
        f"No {kind or 'model, adapter'} or file is called {wanted!r}; {known if listed else 'give a path'}."
    )


def _not_fetched(wanted: str, items: Sequence[Item]) -> ModelError:
    """That a repository of a hub, or a type of it, is not on this disk."""
    import difflib

    repository = wanted.partition(":")[0].casefold()
    known = {_owner(item).partition("@")[0] for item in items if "/" in _owner(item)}
    near = " or ".join(difflib.get_close_matches(repository, known, 3, 0.8))
    held = ", ".join(item.name for item in in_repository(repository, items)[:_MOST_NAMES])
    said = f"{wanted!r} is not on this disk"
    if held:
        said += f", where that repository has {held}"
    elif near:
        said += f", where {near} is"
    return ModelError(f"{said}; give another name, or run `llamadiff pull {wanted}` first.")


_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]*\w(:[\w.-]+)?(?<!\.gguf)", re.IGNORECASE | re.ASCII)
"""What may be `org/repo[:TYPE]`."""

_MOST_NAMES = 12
