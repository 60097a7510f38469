"""Names in a catalog: made unique, and found again from what a person types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ModelError, plain
from .entries import Kind
from .files import Candidate
from .heads import Head


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


def matching(wanted: str, items: Sequence[Item]) -> list[Item]:
    """The items that go by this name, in any case.

    What the catalog shows goes first, then names of files and their owners, an owner's
    repository or `repository:quantization`, and last what the files call themselves.
    """
    folded = plain(wanted).casefold()
    for found in (
        [item for item in items if item.name.casefold() == folded],
        [item for item in items if folded in item.names],
        [item for item in items if folded in _repository(item)],
        [item for item in items if (item.head.title or "").casefold() == folded != ""],
    ):
        if found:
            return found
    return []


def _repository(item: Item) -> set[str]:
    owner = plain(item.candidate.owner).casefold()
    if "/" not in owner:
        return set()
    return {owner, f"{owner}:{(item.head.quantization or '').casefold()}"}


def ambiguous(wanted: str, items: Sequence[Item]) -> ModelError:
    """That a name is not enough, with those that have it."""
    candidates = ", ".join(
        item.name if item.name == item.candidate.path else f"{item.name} ({item.candidate.path})"
        for item in items
    )
    return ModelError(f"{wanted!r} is the name of several files; give one of {candidates}.")


def unknown(wanted: str, kind: Kind | None, items: Sequence[Item]) -> ModelError:
    """That nothing of a kind, or of any, goes by a name, with what may have been meant."""
    import difflib

    other: Kind = "adapter" if kind == "model" else "model"
    if kind and matching(wanted, [item for item in items if item.kind == other]):
        words = {"model": "a base model", "adapter": "an adapter"}
        option = {"model": "-m", "adapter": "-a"}[other]
        return ModelError(
            f"{wanted!r} is {words[other]}, not {words[kind]}; give it with {option}."
        )
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


_MOST_NAMES = 12
