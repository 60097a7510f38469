"""The rows of a suite's dataset: which, in what order, and what each gives to the prompts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...prompts.datasets import ChatRow, InstructionRow, PreferenceRow, Row, read_rows
from ...prompts.document import Message
from ...prompts.suggest import did_you_mean
from ..errors import CompareError
from .suite import Suite

EXPECTED = "expected"
ROW_KEY = "suite_row"
"""Exported ratings have in this column the key of the row that they are of."""
EQUAL = "-"
"""Before the number of a row in the key of one that is equal to another."""
Turns = tuple[tuple[str, str], ...]
"""Of a chat after its first question: each an answer that was given, and the reply to it."""


@dataclass(frozen=True)
class SaidRow:
    """A row of a dataset: what it says to prompts, `user`, `system` and `expected` of the known shapes
    included, the turns after the first question, and a key that is the same wherever the row is."""

    row: Row
    key: str
    values: Mapping[str, str]
    turns: Turns = ()


@dataclass(frozen=True)
class SuiteRow:
    """One question: its line in the file, a key that is the same wherever the row is, the values
    of variables, the answer that is expected, if the row says, and the turns after the prompt."""

    line: int
    key: str
    values: Mapping[str, str]
    expected: str | None = None
    tags: tuple[str, ...] = ()
    turns: Turns = ()

    @property
    def asked(self) -> str:
        """All of it in words, a line for each value and turn."""
        said = [f"{name}: {text}" for name, text in self.values.items()]
        for answer, reply in self.turns:
            said += [f"answer: {answer}", f"reply: {reply}"]
        return "\n".join(said)


def content_of(key: str) -> str:
    """What the keys of equal rows have in common."""
    return key.partition(EQUAL)[0]


def columns_of(rows: Iterable[SuiteRow]) -> list[str]:
    """What any of the rows gives; a column that the file's first row lacks may be in some only."""
    return list(dict.fromkeys(name for row in rows for name in row.values))


def suite_rows(suite: Suite) -> list[SuiteRow]:
    """All rows that are asked for, in an order drawn by the dataset's seed.

    Not the file's, which may be sorted: the first half is then a sample of all. Raises PromptError
    for a file that is no dataset, and CompareError for columns there are not, and for no rows.
    """
    dataset = suite.dataset
    found: list[SuiteRow] = []
    for it in said_rows(dataset.file, read_rows(dataset.file)):
        row, values = it.row, it.values
        _check(suite, row, values)
        if not all(values[name] in wanted for name, wanted in dataset.where.items()):
            continue
        tags = tuple(tag for name in dataset.tags for tag in _tags(values[name]))
        given = {name: values[column] for name, column in dataset.columns.items()}
        expected = given.pop(EXPECTED, values.get(EXPECTED, ""))
        expected = expected if expected.strip() else None
        others = {name: text for name, text in values.items() if name != EXPECTED}
        found.append(SuiteRow(row.line, it.key, {**others, **given}, expected, tags, it.turns))
    if not found:
        which = " that are asked for" if dataset.where else ""
        where = suite.at("dataset", "where" if dataset.where else "file")
        raise CompareError(f"{where}: {dataset.file} has no rows{which}.")
    return sorted(found, key=lambda row: _draw(dataset.seed, row.key))


def said_rows(file: Path, rows: Iterable[Row]) -> Iterator[SaidRow]:
    """The rows of a dataset by what they say, in their order; `file` is what errors call it.

    Raises CompareError for a chat that does not end with an answer.
    """
    seen = Counter[str]()
    for row in rows:
        values, turns = _said(file, row)
        content = json.dumps([*sorted(values.items()), *turns], ensure_ascii=True)
        seen[content] += 1
        key = hashlib.sha256(f"{content} 1".encode()).hexdigest()[:20]
        if seen[content] > 1:
            key += f"{EQUAL}{seen[content]}"
        yield SaidRow(row, key, values, turns)


def _draw(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()


def _said(file: Path, row: Row) -> tuple[dict[str, str], Turns]:
    """The columns, and what shapes that are known say: `user`, `system`, `expected`, and turns."""
    values = dict(row.values)
    match row:
        case InstructionRow():
            asked = row.example
            return ({**values, "user": asked.user, EXPECTED: row.output} if asked else values), ()
        case ChatRow(messages=(*asked, answer)):
            if answer.role != "assistant":
                raise _wrong(file, row, "the chat does not end with an answer")
            del values["messages"]
            return _chat(file, row, values, asked, answer.content)
        case PreferenceRow():
            del values["prompt"]
            return _chat(file, row, values, row.prompt, row.chosen)
        case _:
            return values, ()


def _chat(
    file: Path, row: Row, values: Mapping[str, str], asked: Sequence[Message], answer: str
) -> tuple[dict[str, str], Turns]:
    """The first question is the prompt's, the others are replies to the answers before them."""
    before = 1 if asked and asked[0].role == "system" else 0
    system, said = "".join(it.content for it in asked[:before]), asked[before:]
    for place, message in enumerate(said):
        whose = "assistant" if place % 2 else "user"
        if message.role != whose:
            number = place + before + 1
            raise _wrong(file, row, f"message {number} is the {message.role}'s, not the {whose}'s")
    if len(said) % 2 == 0:
        raise _wrong(file, row, "the chat does not end with an answer to a user")
    turns = tuple((a.content, b.content) for a, b in zip(said[1::2], said[2::2], strict=True))
    return {**values, "user": said[0].content, "system": system, EXPECTED: answer}, turns


def _wrong(file: Path, row: Row, what: str) -> CompareError:
    return CompareError(f"{file}, line {row.line}: {what}.")


def _check(suite: Suite, row: Row, values: Mapping[str, str]) -> None:
    dataset = suite.dataset
    asked = [(name, "columns") for name in dataset.columns.values()]
    asked += [
        *((name, "where") for name in dataset.where),
        *((name, "tags") for name in dataset.tags),
    ]
    for name, key in asked:
        if name not in values:
            hint = did_you_mean(name, values) or f"; it has {', '.join(values)}."
            where = suite.at("dataset", key)
            raise CompareError(
                f"{where}: {dataset.file} has no column {name} in line {row.line}{hint}"
            )


def _tags(cell: str) -> list[str]:
    """A cell's tags: those of a JSON list, or the one it is."""
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return [str(tag) for tag in found]
    return [cell] if cell.strip() else []
