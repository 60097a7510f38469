"""Few-shot examples out of a dataset: which rows, and what each becomes."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from .datasets import Row, read_rows
from .document import Example, ExampleData
from .errors import PromptError
from .files import MAX_BYTES
from .literal import as_template, fill

MOST_EXAMPLES = 1000

_ASKED = ("question", "prompt", "input", "user", "instruction", "query", "text", "source")
_ANSWERED = ("answer", "response", "output", "assistant", "completion", "label", "target")
"""What the columns are called in which people keep what was asked and answered."""


def pick_examples(rows: Iterable[Row], count: int, seed: int = 0) -> list[Row]:
    """`count` rows, fewer where there are fewer, in their order; the same ones for a seed always.

    A row is taken or not by the hash of seed and place, so that rows appended to a dataset replace
    few of those chosen before. Holds no more rows than it gives.
    """
    if count <= 0:
        return []
    ranked = ((_rank(seed, place), place, row) for place, row in enumerate(rows))
    chosen = heapq.nsmallest(count, ranked, key=lambda it: it[:2])
    return [row for _, place, row in sorted(chosen, key=lambda it: it[1])]


def nearest_examples(rows: Iterable[Row], text: str, count: int) -> list[Row]:
    """The `count` rows most like `text`, the likest last, which is where a model heeds it most.

    Likeness is the share of words in common (Jaccard's index), of what the row asks.
    """
    wanted = _words(text)

    def likeness(row: Row) -> float:
        words = _words(row.example.user if row.example else " ".join(row.values.values()))
        return len(words & wanted) / max(1, len(words | wanted))

    return heapq.nlargest(count, rows, key=likeness)[::-1]


def row_example(row: Row, user: str = "", assistant: str = "") -> Example | None:
    """A row as an example for a prompt: templates that give its text literally.

    `user` and `assistant` are templates in which a plain `{{ column }}` stands for the row's text;
    without them the row's shape decides, and the result is None where it does not say.
    """
    if user or assistant:
        return Example(fill(user, row.values), fill(assistant, row.values))
    example = row.example
    return example and Example(as_template(example.user), as_template(example.assistant))


def guessed_columns(names: Iterable[str]) -> tuple[str, str] | None:
    """The columns of a dataset of variables that are a question and its answer, by their names."""
    known = list(names)
    asked, answered = guessed_question(known), guessed_answer(known)
    return (asked, answered) if asked and answered else None


def guessed_question(names: Iterable[str]) -> str | None:
    """The column that is a question, by its name."""
    return _first(names, _ASKED)


def guessed_answer(names: Iterable[str]) -> str | None:
    """The column that is an answer, by its name."""
    return _first(names, _ANSWERED)


def _first(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    known = {name.casefold(): name for name in names}
    return next((known[name] for name in wanted if name in known), None)


def load_examples(data: ExampleData) -> tuple[Example, ...]:
    """The examples that a prompt's `examples = { data = … }` stands for.

    Raises PromptError for what the dataset's reader refuses, for too few rows, for rows that do not
    say what was asked and answered, and for more than `MOST_EXAMPLES` examples or `MAX_BYTES`.
    """
    try:
        stat = data.data.stat()
        identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    except OSError:
        identity = ()  # reading it says why
    return _examples(data, identity)


@lru_cache(maxsize=32)
def _examples(data: ExampleData, identity: tuple[int, ...]) -> tuple[Example, ...]:
    """`identity` is that of the file, so that it is read again when it has changed."""
    path, count = data.data, data.count
    if count is not None and count > MOST_EXAMPLES:
        raise PromptError(f"{count} examples are too many; at most {MOST_EXAMPLES:,}")
    rows = pick_examples(read_rows(path), MOST_EXAMPLES + 1 if count is None else count, data.seed)
    if len(rows) > MOST_EXAMPLES:
        raise PromptError(f"{path} has more than {MOST_EXAMPLES:,} rows; say how many with count")
    if count is not None and len(rows) < count:
        raise PromptError(f"{path} has {len(rows)} rows, and {count} are wanted")
    return _made(path, rows, data)


def _made(path: Path, rows: Sequence[Row], data: ExampleData) -> tuple[Example, ...]:
    examples: list[Example] = []
    size = 0
    for row in rows:
        example = row_example(row, data.user, data.assistant)
        if example is None:
            raise PromptError(
                f"{path}, line {row.line}: the columns {', '.join(row.values)} do not say what was "
                'asked and answered; add user = "{{ … }}" and assistant = "{{ … }}" to examples'
            )
        size += len(example.user) + len(example.assistant)
        if size > MAX_BYTES:
            raise PromptError(f"the examples from {path} are larger than {MAX_BYTES // 10**6} MB")
        examples.append(example)
    return tuple(examples)


def _rank(seed: int, place: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{place}".encode(), digest_size=8).digest()


def _words(text: str) -> set[str]:
    return set(text.casefold().split())
