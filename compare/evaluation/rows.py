"""The rows of a suite's dataset: which, in what order, and what each gives to the prompts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...prompts.datasets import ChatRow, InstructionRow, PreferenceRow, Row, VariableRow, read_rows
from ...prompts.suggest import did_you_mean
from ..errors import CompareError
from .suite import DatasetSpec

EXPECTED = "expected"


@dataclass(frozen=True)
class SuiteRow:
    """One question: its line in the file, a key that is the same wherever the row is, the values
    of variables, and the answer that is expected, if the row says."""

    line: int
    key: str
    values: Mapping[str, str]
    expected: str | None = None
    tags: tuple[str, ...] = ()


def suite_rows(dataset: DatasetSpec) -> list[SuiteRow]:
    """The rows in the order in which they are run.

    That order is drawn by the dataset's seed, not the file's, which may be sorted: half of the rows
    is then a sample of all. A larger sample holds a smaller one. Raises PromptError for a file
    that is no dataset, and CompareError for columns there are not, and for no rows.
    """
    found: list[SuiteRow] = []
    seen = Counter[str]()
    for row in read_rows(dataset.file):
        values = _values(dataset.file, row)
        _check(dataset, row, values)
        if not all(values[name] in wanted for name, wanted in dataset.where.items()):
            continue
        content = json.dumps(sorted(values.items()), ensure_ascii=True)
        seen[content] += 1
        key = hashlib.sha256(f"{content} {seen[content]}".encode()).hexdigest()[:20]
        tags = tuple(tag for name in dataset.tags for tag in _tags(values[name]))
        given = {name: values[column] for name, column in dataset.columns.items()}
        expected = given.pop(EXPECTED, values.get(EXPECTED))
        others = {name: text for name, text in values.items() if name != EXPECTED}
        found.append(SuiteRow(row.line, key, {**others, **given}, expected, tags))
    if not found:
        which = " that are asked for" if dataset.where else ""
        raise CompareError(f"{dataset.file} has no rows{which}.")
    found.sort(key=lambda row: _draw(dataset.seed, row.key))
    return found[: dataset.sample]


def _draw(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()


def _values(file: Path, row: Row) -> dict[str, str]:
    """The columns, and what shapes that are known say: `user`, `system` and `expected`."""
    values = dict(row.values)
    match row:
        case VariableRow():
            return values
        case InstructionRow():
            asked = row.example
            return {**values, "user": asked.user, EXPECTED: row.output} if asked else values
        case ChatRow(messages=(*before, question, answer)) if (
            question.role == "user" and answer.role == "assistant"
        ):
            _check_single(file, row, before)
            system = before[0].content if before else ""
            values.pop("messages")
            return {**values, "user": question.content, "system": system, EXPECTED: answer.content}
        case ChatRow():
            raise CompareError(
                f"{file}, line {row.line}: the chat does not end with an answer to a user."
            )
        case PreferenceRow(prompt=(*before, question)):
            _check_single(file, row, before)
            values.pop("prompt")
            system = before[0].content if before else ""
            return {**values, "user": question.content, "system": system, EXPECTED: row.chosen}
        case _:
            return values


def _check_single(file: Path, row: Row, before: Sequence[object]) -> None:
    if len(before) > 1 or any(getattr(message, "role", "") != "system" for message in before):
        raise CompareError(
            f"{file}, line {row.line}: the chat has several turns; a suite asks one question per row."
        )


def _check(dataset: DatasetSpec, row: Row, values: Mapping[str, str]) -> None:
    for name in (*dataset.columns.values(), *dataset.where, *dataset.tags):
        if name not in values:
            hint = did_you_mean(name, values) or f"; it has {', '.join(values)}"
            raise CompareError(f"{dataset.file}, line {row.line}: there is no column {name}{hint}.")


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
