"""What the history tells of runs and outputs, without reading all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..run import Run, State


@dataclass(frozen=True)
class Wanted:
    """Which runs: those for which all that is given holds. Names match in part, whatever the case.

    `text` are words of an output or a rendered prompt: all have to be there, the last one may be
    unfinished, and "words in quotes" stand together. Times are in UTC, `until` is not included.
    """

    text: str = ""
    model: str = ""
    adapter: str = ""
    prompt: str = ""
    label: str = ""
    tag: str = ""
    """In full."""
    note: str = ""
    version: int | None = None
    """Of a prompt, by its id."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class OutputEntry:
    """An output in a list. `preview` is how it begins, `tokens` their number."""

    variant: str
    repeat: int
    seed: int
    state: State
    tokens: int
    preview: str
    finish_reason: str | None
    error: str | None


@dataclass(frozen=True)
class VariantEntry:
    """A variant in a list. `version` is the one of its prompt."""

    name: str
    label: str
    model: str
    stack: str
    prompt: str
    version: int


@dataclass(frozen=True)
class RunEntry:
    """A run in a list. `ended` is None while it goes on."""

    id: str
    at: datetime
    ended: datetime | None
    variables: dict[str, str]
    note: str
    tags: tuple[str, ...]
    variants: tuple[VariantEntry, ...]
    outputs: tuple[OutputEntry, ...]
    number: int
    """Where it stands: `page` goes on from here."""
    asked: str = ""
    """How the user's text of the first variant begins."""
    reply: str = ""
    """How what was replied begins, if it was."""
    excerpt: str = ""
    """Text around the words that were looked for."""


@dataclass(frozen=True)
class Recorded:
    """A run, whole. `program` is the version of llamadiff it ran in; times are in UTC."""

    run: Run
    at: datetime
    ended: datetime | None
    program: str
    note: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """An output found by words in it or in its prompt. `excerpt` is text around the first."""

    run: str
    at: datetime
    variant: str
    title: str
    repeat: int
    excerpt: str
    in_prompt: bool
    """The words are in the prompt and not in the output."""
    number: int
    """Where it stands: `search` goes on from here."""
