"""The one reader of datasets: JSONL and CSV files as rows of a recognised shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from .document import Example, Message
from .errors import PromptError
from .files import open_file, unreadable
from .messages import read_messages

MAX_ROW_BYTES = 4_000_000
"""The longest line of a dataset, and the longest cell."""

SUFFIXES = (".jsonl", ".ndjson", ".csv")


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, counted from 1, and every column as text.

    Numbers, true and false are written as in JSON, null is empty, and lists and objects are JSON.
    """

    line: int
    values: Mapping[str, str]

    @property
    def example(self) -> Example | None:
        """What was asked and answered, as literal text; None where the row does not say."""
        raise NotImplementedError


@dataclass(frozen=True)
class VariableRow(Row):
    """Values for a prompt's variables, and the answer expected, if the row has one.

    Columns called `user` and `assistant` make it an example.
    """

    expected: str | None = None

    @property
    def example(self) -> Example | None:
        if "user" in self.values and "assistant" in self.values:
            return Example(self.values["user"], self.values["assistant"])
        return None


@dataclass(frozen=True)
class ChatRow(Row):
    """A chat: `{"messages": [{"role": "user", "content": "…"}, …]}`."""

    messages: tuple[Message, ...]

    @property
    def example(self) -> Example | None:
        if [message.role for message in self.messages[-2:]] != ["user", "assistant"]:
            return None
        return Example(self.messages[-2].content, self.messages[-1].content)


@dataclass(frozen=True)
class InstructionRow(Row):
    """`{"instruction": "…", "input": "…", "output": "…"}`; the input may be empty or missing."""

    instruction: str
    input: str
    output: str

    @property
    def example(self) -> Example | None:
        asked = f"{self.instruction}\n\n{self.input}" if self.input else self.instruction
        return Example(asked, self.output)


@dataclass(frozen=True)
class PreferenceRow(Row):
    """`{"prompt": "…", "chosen": "…", "rejected": "…"}`; each may be a list of messages.

    `prompt` is the messages, one of the user's where it was text; the answers are text.
    """

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str

    @property
    def example(self) -> Example | None:
        return Example(self.prompt[-1].content, self.chosen)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a .jsonl, .ndjson or .csv file, one at a time; UTF-8, a byte order mark is fine.

    Keys decide the shape, and the first row the shape of all: `messages` (ChatRow), `chosen` and
    `rejected` (PreferenceRow), `instruction` and `output` (InstructionRow), else variables, of
    which later rows must have all; `expected` alone may be missing.

    Raises PromptError, naming file and line, for a row that is not of that shape, and for what is
    not text, too long or nested too deeply.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise PromptError(
            f"{path} is not a dataset: its name must end in {', '.join(SUFFIXES)}",
            source=str(path),
        )
    try:
        with open_file(path, "dataset") as file:
            reader = _Reader(path)
            yield from reader.rows(_csv(path, file) if suffix == ".csv" else _jsonl(path, file))
    except OSError as error:
        raise unreadable(str(path), error) from None


def rows_of(source: Path, tables: Iterable[Mapping[str, object]]) -> Iterator[Row]:
    """As `read_rows`, of tables that are in no file; `source` is what errors call it."""
    return _Reader(source).rows(enumerate(tables, start=1))


def _fail(path: Path, line: int, message: str) -> NoReturn:
    raise PromptError(f"{path}, line {line}: {message}", source=str(path), line=line)


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(raw) > MAX_ROW_BYTES:
            _fail(path, number, f"the line is longer than {MAX_ROW_BYTES // 1_000_000} MB")
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            _fail(path, number, "this is not UTF-8 text")


def _jsonl(path: Path, file: BinaryIO) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in _lines(path, file):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_no_constant)
            if "\\u" in line:
                json.dumps(row, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            _fail(path, number, f"this is not valid JSON: {error.msg} (column {error.colno})")
        except RecursionError:
            _fail(path, number, "this is nested too deeply")
        except UnicodeEncodeError:
            _fail(path, number, "this holds half of a character")
        except ValueError as error:
            _fail(path, number, f"this is not valid JSON: {error}")
        if not isinstance(row, dict):
            _fail(path, number, "this is not a JSON object")
        yield number, row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _csv(path: Path, file: BinaryIO) -> Iterator[tuple[int, dict[str, object]]]:
    import csv

    csv.field_size_limit(MAX_ROW_BYTES)
    reader = csv.reader(_separated(path, file), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            start, line = reader.line_num + 1, start
            if not cells:
                continue
            if header is None:
                header = _header(path, line, cells)
            elif len(cells) != len(header):
                many = "" if len(cells) == 1 else "s"
                _fail(
                    path, line, f"this has {len(cells)} column{many}, but the heading {len(header)}"
                )
            else:
                yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        _fail(path, start, f"this is not valid CSV: {error}")


def _separated(path: Path, file: BinaryIO) -> Iterator[str]:
    """The lines, of which the heading is not one of another separator than the comma."""
    for number, line in _lines(path, file):
        if number == 1 and "," not in line:
            for separator, name in ((";", "semicolons"), ("\t", "tabs")):
                if separator in line:
                    _fail(path, 1, f"its columns are separated by {name}; separate them by commas")
        yield line


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for name in names:
        if not name:
            _fail(path, line, "a column has no name")
        if names.count(name) > 1:
            _fail(path, line, f"two columns are called {name}")
    return names


_Shape = Callable[[int, Mapping[str, object]], Row]


class _Reader:
    """Makes rows of the shape that the first one has."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, tables: Iterable[tuple[int, Mapping[str, object]]]) -> Iterator[Row]:
        columns: Sequence[str] | None = None
        shape: _Shape = self.variables
        for line, table in tables:
            if columns is None:
                shape, columns = self.shape(table)
            for name in columns:
                if name not in table:
                    _fail(self.path, line, f"there is no {name}, which the first row has")
            try:
                row = shape(line, table)
            except RecursionError:
                _fail(self.path, line, "this is nested too deeply")
            yield row

    def shape(self, table: Mapping[str, object]) -> tuple[_Shape, Sequence[str]]:
        """What makes rows like this one, and the columns it needs."""
        if "messages" in table:
            return self.chat, ("messages",)
        if "chosen" in table and "rejected" in table:
            return self.preference, ("prompt", "chosen", "rejected")
        if "instruction" in table and "output" in table:
            return self.instruction, ("instruction", "output")
        return self.variables, tuple(name for name in table if name != "expected")

    def variables(self, line: int, table: Mapping[str, object]) -> Row:
        values = _texts(table)
        return VariableRow(line, values, values.get("expected"))

    def chat(self, line: int, table: Mapping[str, object]) -> Row:
        return ChatRow(line, _texts(table), self.messages(line, table["messages"]))

    def instruction(self, line: int, table: Mapping[str, object]) -> Row:
        values = _texts(table)
        return InstructionRow(
            line, values, values["instruction"], values.get("input", ""), values["output"]
        )

    def preference(self, line: int, table: Mapping[str, object]) -> Row:
        prompt = table["prompt"]
        messages = (
            (Message("user", prompt),) if isinstance(prompt, str) else self.messages(line, prompt)
        )
        answers = (self.answer(line, name, table[name]) for name in ("chosen", "rejected"))
        return PreferenceRow(line, _texts(table), messages, *answers)

    def answer(self, line: int, name: str, value: object) -> str:
        if isinstance(value, str):
            return value
        last = self.messages(line, value)[-1]
        if last.role != "assistant":
            _fail(self.path, line, f"{name} does not end with the assistant's message")
        return last.content

    def messages(self, line: int, value: object) -> tuple[Message, ...]:
        try:
            return read_messages(value)
        except ValueError as error:
            _fail(self.path, line, str(error))


def _texts(table: Mapping[str, object]) -> dict[str, str]:
    return {name: _text(value) for name, value in table.items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
