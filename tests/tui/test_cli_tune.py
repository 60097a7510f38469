"""`llamadiff tune --check`: what is read, what is said of it, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.tui.cli.main import run

ROWS = (
    "review,expected\nIt broke at once.,negative\nA joy to use.,positive\nIt is a lamp.,neutral\n"
)
UNDER = ("-p", "sentiment")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def tune(file: Path, *arguments: str) -> int:
    return run(["tune", "--base", "demo", "--data", str(file), *arguments])


def test_sound_rows_are_shown_with_what_is_learned(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(file, *UNDER, "--suite", "sentiment", "--check") == 0
    out = capsys.readouterr().out
    assert "3 rows; " in out and "2 to train on, 1 to validate with." in out
    assert "Nothing is wrong with them." in out
    assert "negative or neutral? It broke at once.<|end|><|assistant|>⟦negative<|end|>⟧" in out


def test_rows_of_a_suite_are_grave(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = SHIPPED / "sentiment.jsonl"
    asked = (*UNDER, "--eval", "sentiment", "--check", "--json", "--rows", "25,50")
    assert tune(shipped, *asked) == 1
    document = json.loads(capsys.readouterr().out)
    (leak,) = document["findings"]
    assert (leak["kind"], leak["count"], leak["subject"]) == ("leaked", 500, "Sentiment")
    assert leak["cases"][0]["file"] == str(shipped) and leak["cases"][0]["other"] == 1
    assert document["train"] + document["validation"] == document["examples"] == 500
    assert set(document["classes"]) == {"positive", "negative", "neutral"}
    first = document["preview"][0]
    learned = [
        text for text, trained in zip(first["texts"], first["trained"], strict=True) if trained
    ]
    assert learned == ["positive", "<|end|>"]


@pytest.mark.parametrize("name", ["sentiment", "support", "intake", "french"])
def test_rows_that_ship_are_sound_for_every_suite_that_ships(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    suites = [part for path in SHIPPED.glob("*.toml") for part in ("--suite", path.stem)]
    arguments = ["tune", "--base", "demo", "--data", name, "-p", name, *suites, "--check", "--json"]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["findings"] == [] and document["problem"] is None
    assert document["train"] >= 300
    (estimate,) = document["estimates"]
    assert estimate["steps"] == -(-document["train"] // 8) * 5 and estimate["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Give -o ADAPTER.gguf, or --check"),
        (("--check", "-o", "x.gguf"), "--check trains nothing"),
        (("--check", "--rows", "5,x"), "'5,x' is no list of numbers"),
        (("--check", *UNDER, "--rows", "3"), "3 rows are asked for, and there are 2 to train on."),
        (("--check", "--set", "sequence=5"), "sequence is no setting of tuning; did you mean"),
        (("--check", "--set", "validation=1"), "validation is '1'; give a share"),
        (("--check", "--suite", "no"), "There is no suite no"),
        (("--check",), "line 2: the columns review, expected do not say what was asked"),
    ],
)
def test_mistakes_are_one_line_and_2(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert tune(file, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and words in captured.err.splitlines()[-1]
