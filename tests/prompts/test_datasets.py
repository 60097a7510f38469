"""Rows of every shape are read one at a time, and a wrong one is named by file and line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.prompts import datasets
from llamadiff.prompts.datasets import (
    ChatRow,
    InstructionRow,
    PreferenceRow,
    VariableRow,
    read_rows,
)
from llamadiff.prompts.document import Example, Message
from llamadiff.prompts.errors import PromptError

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def test_rows_of_variables_have_text_values_and_may_have_what_is_expected(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"q": "a", "n": 3, "ok": True, "expected": "b"}, {"q": None, "n": [1], "ok": 0.5})  # fmt: skip
    assert list(read_rows(path)) == [
        VariableRow(1, {"q": "a", "n": "3", "ok": "true", "expected": "b"}, "b"),
        VariableRow(2, {"q": "", "n": "[1]", "ok": "0.5"}, None),
    ]
    (row,) = read_rows(jsonl(tmp_path, {"user": "a", "assistant": "b"}))
    assert row.example == Example("a", "b")


def test_shapes_are_recognised(tmp_path: Path) -> None:
    (row,) = read_rows(jsonl(tmp_path, {"messages": CHAT, "id": 1}))
    assert isinstance(row, ChatRow) and row.values["id"] == "1"
    assert row.messages == (Message("user", "Hi"), Message("assistant", "Hello"))
    assert row.example == Example("Hi", "Hello")
    (row,) = read_rows(jsonl(tmp_path, {"instruction": "Add", "input": "1 1", "output": "2"}))
    assert isinstance(row, InstructionRow) and row.input == "1 1"
    assert row.example == Example("Add\n\n1 1", "2")
    (row,) = read_rows(jsonl(tmp_path, {"prompt": "Hi", "chosen": "a", "rejected": "b"}))
    assert isinstance(row, PreferenceRow) and row.example == Example("Hi", "a")
    assert (row.prompt, row.chosen, row.rejected) == ((Message("user", "Hi"),), "a", "b")
    (row,) = read_rows(
        jsonl(tmp_path, {"prompt": CHAT[:1], "chosen": CHAT[1:], "rejected": CHAT[1:]})
    )
    assert isinstance(row, PreferenceRow) and row.chosen == "Hello"


def test_messages_in_the_ways_others_write_them_are_read(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    chat = [{"role": "developer", "content": "d"}, {"role": "user", "content": parts}]
    (row,) = read_rows(jsonl(tmp_path, {"messages": chat}))
    assert isinstance(row, ChatRow) and row.example is None
    assert row.messages == (Message("system", "d"), Message("user", "ab"))


def test_csv_is_read_with_the_lines_on_which_rows_start(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes('\ufeffq,expected\r\n"two\r\nlines","x, ""y"""\r\n\r\né,z\r\n'.encode())
    assert list(read_rows(path)) == [
        VariableRow(2, {"q": "two\r\nlines", "expected": 'x, "y"'}, 'x, "y"'),
        VariableRow(5, {"q": "é", "expected": "z"}, "z"),
    ]
    path.write_text("instruction,input,output\nAdd,,2\n")
    (row,) = read_rows(path)
    assert row.example == Example("Add", "2")


def test_a_byte_order_mark_and_empty_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf\n{"a": "1"}\r\n\n{"a": "2"}')
    assert [(row.line, row.values["a"]) for row in read_rows(path)] == [(2, "1"), (4, "2")]


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\r")), min_size=2, max_size=2)
    )
)  # fmt: skip
def test_what_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "back.csv"
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows])
    path.write_text(text.getvalue(), "utf-8", newline="")
    assert [list(row.values.values()) for row in read_rows(path)] == rows


MISTAKES = [
    ("x.jsonl", b'{"a": "1"}\n{"b": "2"}', 2, "there is no a"),
    ("x.jsonl", b'{"a": "1"}\n\n{"a": ', 3, "not valid JSON: .*column"),
    ("x.jsonl", b'{"a": NaN}', 1, "NaN is no number"),
    ("x.jsonl", b'{"a": ' + b"9" * 5000 + b"}", 1, "not valid JSON"),
    ("x.jsonl", b'{"a": "\\ud800"}', 1, "half of a character"),
    ("x.jsonl", b'{"a": "1"}\n{"a": "\xff"}', 2, "not UTF-8"),
    ("x.jsonl", b"[1]", 1, "not a JSON object"),
    ("x.jsonl", b'{"a": ' + b"[" * 200_000, 1, "nested too deeply"),
    ("x.jsonl", b'{"messages": "hi"}', 1, "messages must be a list"),
    ("x.jsonl", b'{"messages": [{"role": "user"}]}', 1, "message 1 has no content"),
    ("x.jsonl", b'{"messages": [{"role": "tool", "content": ""}]}', 1, "role tool"),
    ("x.jsonl", b'{"messages": [{"role": "user", "content": [{"image_url": 1}]}]}', 1, "not text"),
    ("x.jsonl", b'{"prompt": "a", "chosen": [{"role": "user", "content": "x"}], "rejected": "b"}', 1, "chosen does not end"),
    ("x.jsonl", b'{"instruction": "a", "output": "b"}\n{"instruction": "a"}', 2, "there is no output"),
    ("x.csv", b"a,b\n1\n", 2, "has 1 column, but the heading 2"),
    ("x.csv", b"a;b\n1,5;2\n", 1, "columns are separated by semicolons; separate them by commas"),
    ("x.csv", b'"a";"b"\n"1";"2"\n', 1, "columns are separated by semicolons"),
    ("x.csv", b"a\tb\n1\t2\n", 1, "columns are separated by tabs"),
    ("x.csv", b"a,a\n", 1, "two columns are called a"),
    ("x.csv", b"a,\n", 1, "has no name"),
    ("x.csv", b'a\n"1\n', 2, "not valid CSV"),
    ("x.csv", b"a\n\xff\n", 2, "not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "line", "words"), MISTAKES)
def test_a_wrong_row_is_named(
    tmp_path: Path, name: str, content: bytes, line: int, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PromptError, match=words) as caught:
        list(read_rows(path))
    assert str(caught.value).startswith(f"{path}, line {line}: ") and caught.value.line == line


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv"])
def test_a_line_without_end_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "MAX_ROW_BYTES", 1000)
    path = tmp_path / name
    path.write_bytes(b'"' + b"x" * 2000)
    with pytest.raises(PromptError, match="line 1: the line is longer"):
        list(read_rows(path))


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="must end in"):
        list(read_rows(tmp_path / "x.txt"))
    with pytest.raises(PromptError, match="no dataset file at"):
        list(read_rows(tmp_path / "x.csv"))
    (tmp_path / "x.jsonl").mkdir()
    with pytest.raises(PromptError, match="is a folder"):
        list(read_rows(tmp_path / "x.jsonl"))


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("w") as file:
        for number in range(60):
            file.write(json.dumps({"q": str(number), "text": "x" * 1_000_000}) + "\n")
    script = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from llamadiff.prompts.datasets import read_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(1 for _ in read_rows(Path(sys.argv[1]))) == 60\n"
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "print(grown if sys.platform != 'darwin' else grown // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 30_000, "kB for a file of 60 MB"
