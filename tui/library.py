"""What the Library shows of models, adapters and prompts: columns, their order, which fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..models.catalog import AdapterEntry, ModelEntry
from ..prompts.library import PromptEntry, searched
from .amounts import count, size
from .safe_text import safe_line

Entry = ModelEntry | AdapterEntry | PromptEntry
Tab = Literal["models", "adapters", "prompts"]


@dataclass(frozen=True)
class Column:
    """A column: its text for an entry, and what it is sorted by (None goes last).

    Columns of numbers stand on the `right`. Where there is less room those go first that have
    the least `keep`.
    """

    key: str
    title: str
    text: Callable[[Any], str]
    order: Callable[[Any], Any]
    right: bool = False
    keep: int = 0

    @property
    def descending(self) -> bool:
        """Whether it is sorted from the largest on, as numbers are."""
        return self.right


def _words(key: str, title: str, keep: int) -> Column:
    """A column of the entry's field `key`, which is text."""

    def text(entry: Entry) -> str:
        return safe_line(getattr(entry, key) or "–")

    def order(entry: Entry) -> str | None:
        value = getattr(entry, key)
        return value.casefold() if value else None

    return Column(key, title, text, order, keep=keep)


def _number(key: str, title: str, text: Callable[[Any], str], keep: int) -> Column:
    """A column of the entry's field `key`, which is a number."""
    return Column(
        key, title, lambda e: text(getattr(e, key)), lambda e: getattr(e, key), True, keep
    )


def _tags(entry: PromptEntry) -> str:
    return " ".join(entry.tags)


def _origin(entry: PromptEntry) -> str:
    return "shipped" if entry.shipped else entry.path.parent.name


def _plain(number: float | None) -> str:
    return "–" if number is None else f"{number:,g}" if number < 1e6 else f"{number:,.0f}"


COLUMNS: dict[Tab, tuple[Column, ...]] = {
    "models": (
        _words("name", "name", 9),
        _number("parameters", "params", count, 6),
        _words("quantization", "type", 7),
        _number("bytes", "size", size, 8),
        _number("context", "context", _plain, 4),
        _words("architecture", "arch", 3),
        _words("source", "source", 5),
    ),
    "adapters": (
        _words("name", "name", 9),
        _number("rank", "rank", _plain, 8),
        _number("alpha", "alpha", _plain, 4),
        _number("bytes", "size", size, 6),
        _words("base", "base", 7),
        _words("architecture", "arch", 3),
        _words("source", "source", 5),
    ),
    "prompts": (
        _words("name", "name", 9),
        _words("slug", "file", 6),
        Column("tags", "tags", lambda e: safe_line(_tags(e)), lambda e: _tags(e).casefold() or None, keep=7),
        Column("origin", "folder", lambda e: safe_line(_origin(e)), _origin, keep=5),
    ),
}  # fmt: skip


def obstacle(entry: Entry) -> str | None:
    """Why an entry cannot be taken. A PEFT folder is converted when it is."""
    return entry.problem


def fitting(entries: Sequence[Entry], typed: str) -> list[Entry]:
    """The entries that have every word typed in what they show or where they are.

    Those that have them all in their names come first. Prompts are found by their texts too.
    """
    words = typed.casefold().split()
    if not words:
        return list(entries)
    prompts = [entry for entry in entries if isinstance(entry, PromptEntry)]
    files = [entry for entry in entries if not isinstance(entry, PromptEntry)]
    found = [entry for entry in files if all(word in _haystack(entry) for word in words)]
    found.sort(key=lambda e: not all(word in e.name.casefold() for word in words))
    return [*found, *searched(prompts, typed)]


def _haystack(entry: ModelEntry | AdapterEntry) -> str:
    parts = [entry.name, entry.path, entry.source, entry.architecture or ""]
    parts.append((entry.quantization if isinstance(entry, ModelEntry) else entry.base) or "")
    return " ".join(parts).casefold()


def arranged(entries: Sequence[Entry], column: Column, *, descending: bool) -> list[Entry]:
    """The entries by a column; those that do not have it next to last, the unusable ones last."""
    known = [entry for entry in entries if column.order(entry) is not None]
    rest = [entry for entry in entries if column.order(entry) is None]
    ordered = [*sorted(known, key=column.order, reverse=descending), *rest]
    return sorted(ordered, key=lambda entry: obstacle(entry) is not None)
