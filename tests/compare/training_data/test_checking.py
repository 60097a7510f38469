"""What is checked in rows to train on: each with a count, cases, and a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.shipped import find_suite
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Kept
from llamadiff.compare.rating.source import load_source
from llamadiff.compare.training_data.checking import Data
from llamadiff.compare.training_data.examples import Examples, rated_examples, read_examples
from llamadiff.compare.training_data.findings import Case, Kind, Report
from llamadiff.compare.training_data.leakage import held_out
from llamadiff.compare.training_data.normal import normal
from llamadiff.compare.training_data.tokens import Prepared, PreparedExample
from llamadiff.compare.training_data.words import cases, class_counts, sentence, summary
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import ModelInfo
from llamadiff.models.tuning.rows import TrainingRow
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.library import Library, resolve
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.special import Special

from ..rating.evaluations import three

INFO = ModelInfo(4096, 64, 10, 1, 1, "f16", 1, 1, "CPU", 0, "", "", False, True)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def write(folder: Path, rows: Sequence[object]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def as_prepared(source: Examples) -> Prepared:
    """Examples with a token for each word in place of a model's."""
    found: list[PreparedExample] = []
    for it in source.examples:
        length = len(" ".join((*it.asked, it.answer)).split())
        row = TrainingRow((1,) * length, (False,) * (length - 1) + (True,), it.key)
        found.append(PreparedExample(it, (row,)))
    model = LoadedModel(1, Path("m.gguf"), INFO)
    return Prepared(source, model, tuple(found), Special(["<|end|>"]), ((),) * len(found))


def checked(renderer: Renderer, file: Path, prompt: str | None = None, *suites: str) -> Report:
    source = read_examples(file, resolve(prompt) if prompt else None, renderer)
    held = [held_out(load_suite(find_suite(it)), Library(), renderer) for it in suites]
    return Data(as_prepared(source), 1024).check(held)


def found(report: Report, kind: Kind) -> tuple[int, list[Case]]:
    them = [it for it in report.findings if it.kind is kind]
    return sum(it.count for it in them), [case for it in them for case in it.cases]


def test_repeated_and_contradicting_rows(renderer: Renderer, tmp_path: Path) -> None:
    rows = [
        {"user": "What are dogs?", "expected": "Pets."},
        {"user": "What are dogs?", "expected": "Pets."},
        {"user": "what  are DOGS", "expected": "pets"},
        {"user": "What are “dogs”?", "expected": "Animals"},
        {"user": "What is 1+1?", "expected": "2"},
        {"user": "What is 1-1?", "expected": "0"},
        {"user": "", "expected": "x"},
        {"user": "Cats?", "expected": " "},
        {"user": "long " * 64, "expected": "x"},
    ]
    report = checked(renderer, write(tmp_path, rows))
    assert found(report, Kind.DUPLICATE) == (1, [Case(2, "What are dogs?", 1)])
    assert found(report, Kind.NEAR_DUPLICATE) == (1, [Case(3, "what  are DOGS", 1)])
    assert found(report, Kind.CONFLICT) == (1, [Case(4, "What are “dogs”?", 1)])
    assert found(report, Kind.EMPTY) == (1, [Case(8, "Cats?")])
    assert found(report, Kind.TOO_LONG)[0] == 1
    assert (report.examples, report.usable, report.limit, report.sound) == (9, 7, 64, False)
    assert "9 rows, 2 left out" in summary(report) and class_counts(report) == ""
    said = {it.kind: (sentence(it), cases(it)) for it in report.findings}
    assert said[Kind.CONFLICT] == (
        "1 row contradicts an earlier one: the same question, another answer.",
        ["line 4, as line 1: What are “dogs”?"],
    )
    assert said[Kind.TOO_LONG][1] == [f"line 9: {('long ' * 64)[:100]}…"]
    assert said[Kind.TOO_LONG][0] == "1 row is longer than 64 tokens and is left out."
    assert [it.grave for it in report.findings] == sorted([it.grave for it in report.findings])[
        ::-1
    ]


def test_preferences(renderer: Renderer, tmp_path: Path) -> None:
    one = {"prompt": "Good?", "chosen": "Yes", "rejected": "No"}
    rows = [
        one, one,
        {"prompt": "good", "chosen": "No.", "rejected": "yes"},
        {"prompt": "Good?", "chosen": "Yes", "rejected": "Maybe"},
        {"prompt": "Bad?", "chosen": "No", "rejected": "No "},
        {"prompt": "Bad?", "chosen": "No", "rejected": ""},
    ]  # fmt: skip
    report = checked(renderer, write(tmp_path, rows))
    kinds = [Kind.DUPLICATE, Kind.CONFLICT, Kind.SAME_ANSWERS, Kind.EMPTY]
    assert [[case.line for case in found(report, it)[1]] for it in kinds] == [[2], [3], [5], [6]]
    assert report.preferences and report.usable == 4 and report.classes == {}


def test_classes_are_counted_and_rare_ones_told(renderer: Renderer, tmp_path: Path) -> None:
    labels = ["good"] * 20 + ["Bad."] * 9 + ["bad"] * 9 + ["odd"] * 2
    rows = [{"text": f"Row {n}", "label": label} for n, label in enumerate(labels)]
    report = checked(renderer, write(tmp_path, rows))
    assert report.classes == {"good": 20, "bad": 18, "odd": 2}
    assert found(report, Kind.RARE_CLASS) == (2, [Case(39, "Row 38"), Case(40, "Row 39")])
    rows.append({"text": "row 0", "label": "bad"})
    assert not checked(renderer, write(tmp_path, rows)).sound  # of classes one is wrong


def test_rows_that_a_suite_asks(renderer: Renderer, tmp_path: Path) -> None:
    shipped = find_suite("sentiment").with_name("sentiment.jsonl").read_text().splitlines()
    first, second, third = (json.loads(line) for line in shipped[:3])
    other = {**first, "review": "It hums all night.", "expected": "negative", "words": "mine"}
    rows = [first, other, {**second, "review": second["review"].upper(), "words": "mine"}, other]
    report = checked(renderer, write(tmp_path, rows), "sentiment", "sentiment", "general")
    (leak,) = [it for it in report.findings if it.kind is Kind.LEAKED]
    assert (leak.subject, leak.count, leak.grave) == ("Sentiment", 2, True)
    assert [(it.line, it.other) for it in leak.cases] == [(1, 1), (3, 2)]
    chats = [
        [f"Is this good? {third['review']} Say it in one word.", "positive"],
        ["Is it positive?", "No."],
    ]
    rows = [
        {"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}
        for a, b in chats
    ]
    report = checked(renderer, write(tmp_path, rows), None, "sentiment")
    assert found(report, Kind.LEAKED)[1][0].other == 3


def test_an_instruction_alone_is_no_leak(renderer: Renderer, tmp_path: Path) -> None:
    """The suite puts one instruction to many messages: a row is leaked with both."""
    asked = json.loads(find_suite("instructions").with_name("instructions.jsonl").open().readline())
    rows = [
        {"system": asked["instruction"], "user": "What do bakers bake?", "expected": "Bread."},
        {"system": "Take your time.", "user": asked["message"], "expected": "They bark, and …"},
        {"system": asked["instruction"], "user": asked["message"], "expected": "They bark."},
    ]
    report = checked(renderer, write(tmp_path, rows), None, "instructions")
    assert found(report, Kind.LEAKED)[0] == 1
    assert found(report, Kind.LEAKED)[1][0].line == 3


def test_short_texts_and_rows_of_other_columns(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "asked.jsonl").write_text(
        '{"question": "Good?", "tag": "a", "expected": "Yes."}\n'
        '{"question": "Is any of this of any use?", "tag": "b", "expected": "No."}'
    )
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'dataset = "asked.jsonl"\n[[variants]]\nprompt = "question.toml"\n[[checks]]\ncheck = "exact"\n'
    )
    (tmp_path / "question.toml").write_text('name = "Q"\nuser = "{{ question }}"')
    rows = [{"user": it, "expected": "x"} for it in ("Is that good?", "good", "And bad?")]
    report = checked(renderer, write(tmp_path, rows), None, str(suite))
    assert [it.line for it in found(report, Kind.LEAKED)[1]] == [2]
    (tmp_path / "tag.toml").write_text('name = "T"\nuser = "{{ tag }}"')
    report = checked(renderer, tmp_path / "asked.jsonl", str(tmp_path / "tag.toml"), str(suite))
    assert [it.line for it in found(report, Kind.LEAKED)[1]] == [1, 2]


def test_ratings_are_rows_too(renderer: Renderer, tmp_path: Path) -> None:
    history = History(tmp_path / "state", "1.2.3", print)
    try:
        what = three(tmp_path, history)
        source = load_source(history, what)
    finally:
        history.close()
    with pytest.raises(CompareError, match="no rating prefers an answer"):
        rated_examples(source, [], "preferences", None, renderer)
    kept = [Kept("ann", row, 0, "A", "B", "second") for row in range(3)]
    source_rows = rated_examples(source, kept, "preferences", None, renderer)
    assert source_rows.preferences and len(source_rows.examples) == 3
    it = source_rows.examples[0]
    assert "plums" in it.answer and it.rejected and "pears" in it.rejected
    assert it.values["user"] == source.rows[0].values["message"]


WRONG = [
    ("x.jsonl", b"", None, "x.jsonl has no rows; training needs at least 2"),
    ("x.jsonl", b'{"user": "a", "expected": "b"}', None, "x.jsonl has one row; training"),
    ("x.jsonl", b'{"user": "a"}\n{"user": "b"}', None, "line 1: the columns user do not say what was answered"),
    ("x.jsonl", b'{"user": "a", "expected": ""}\n{"user": "b", "expected": " "}', None, "every answer is empty"),
    ("x.csv", b"a,expected\n1,2\n2,3\n", None, "line 2: the columns a, expected do not say what was asked"),
    ("x.csv", b"a,expected\n1,2\n2,3\n", "sentiment", "line 2: the prompt Sentiment uses none of the columns a, expected; it uses review"),
    ("x.jsonl", b'{"messages": [{"role": "user", "content": "a"}]}', None, "line 1: the chat does not end with an answer"),
    ("x.jsonl", b'{"instruction": "a", "output": "b"}\n{"user": "a"}', None, "line 2: there is no instruction, which the first row has"),
    ("x.jsonl", b'{"user": "a", "expected": "b"}\n{"user": ', None, "line 2: this is not valid JSON"),
    ("x.csv", b'user,expected\na,b\n"a', None, "line 3: this is not valid CSV"),
    ("x.csv", b"user,expected\n\xff,b\n", None, "line 2: this is not UTF-8 text"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "prompt", "words"), WRONG)
def test_data_that_cannot_be_used(
    renderer: Renderer, tmp_path: Path, name: str, content: bytes, prompt: str | None, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises((CompareError, PromptError)) as caught:
        read_examples(path, resolve(prompt) if prompt else None, renderer)
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_what_makes_no_difference() -> None:
    assert normal(' The  FOOD, was "cold"…\n') == "the food was cold"
    assert normal("It’s “fine”") == "it’s fine"
    for one, other in [("3.5", "35"), ("1+1", "1-1"), ("C", "C++"), ("-1", "1"), ("a b", "ab")]:
        assert normal(one) != normal(other)
