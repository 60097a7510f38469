"""`llamadiff rate` as a command: results, exports, mistakes, and the app in a terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest

from llamadiff.compare.history.ratings import Kept, Rated
from llamadiff.prompts.datasets import PreferenceRow, read_rows
from llamadiff.tui.cli.main import run

from ..compare.history.runs import opened
from ..compare.rating.evaluations import three
from .tmux import HAS_TMUX, Tmux


@pytest.fixture
def rated(home: Path, tmp_path: Path) -> Rated:
    """An evaluation of which two people rated something."""
    with opened(home / "state") as history:
        what = three(tmp_path, history, 4)
        for number, (one, other) in enumerate(("AB", "BC", "AC")):
            answer = ("first", "second", "tie")[number]
            history.ratings.put(what, Kept("anna", number, 0, one, other, answer))
        history.ratings.put(what, Kept("ben", 0, 0, "A", "B", "first", "why", "Better so."))
    return what


def test_results_and_their_document(rated: Rated, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rate", "--results"]) == 0
    out, err = capsys.readouterr()
    assert err == f"The evaluation {rated.key}: suite.\n"
    assert "zebra" in out and "2 raters (anna 3 of 12, ben 1 of 12)" in out
    assert "first was preferred in 2 of 3" in out and "1 note, 1 edited answer." in out
    assert run(["rate", rated.key[:6], "--results", "--json", "--rater", "ben"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["evaluation"] == rated.key and document["ratings"]["first"] == 1
    assert [it["name"] for it in document["raters"]] == ["ben"]
    assert document["ranking"][0]["label"] == "zebra" and document["notes"][0]["note"] == "why"


def test_on_a_terminal_no_word_is_broken(
    rated: Rated, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(["rate", "--results"]) == 0
    said = capsys.readouterr().out
    assert "CHANCE is that of being preferred" in said
    assert all(len(it) <= 72 for it in said.splitlines()) and "first was preferred" in said
    assert run(["history", "evals"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert len(head) <= 72 and len(line) <= 72 and line.endswith("…")


def test_exports(rated: Rated, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.jsonl"
    assert run(["rate", "suite", "--export", str(file)]) == 0
    err = capsys.readouterr().err
    assert "3 rows, left out 1 tie" in err and "the rows have those of zebra" in err
    assert all(isinstance(row, PreferenceRow) for row in read_rows(file))
    before = file.read_bytes()
    assert run(["rate", "--export", str(file), "--as", "instructions"]) == 2
    assert "--replace" in capsys.readouterr().err and file.read_bytes() == before
    assert run(["rate", "--export", str(file), "--as", "instructions", "--replace"]) == 0
    assert "Better so." in file.read_text() and "1 row." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nobody"], "There is no evaluation and no run 'nobody'"),
        (["--json"], "--json goes with --results"),
        (["--as", "preferences"], "go with --export FILE"),
        (["--rater", " "], "--rater needs a name"),
        (["--results", "--rater", "eve"], "eve has rated nothing"),
        (["--export", "x.csv"], "must end in .jsonl"),
        ([], "rating needs a terminal"),
    ],
)
def test_mistakes_are_one_line(
    rated: Rated, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["rate", *options]) == 2
    out, err = capsys.readouterr()
    assert said in err and len(err.splitlines()) == 1 and not out


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
def test_the_command_in_a_terminal(rated: Rated, home: Path) -> None:
    tmux = Tmux(80, 24, home, "rate", rated.key, "--rater", "eve")
    with contextlib.closing(tmux):
        tmux.wait_for("1 of 12")
        tmux.wait_for(lambda screen: "1 of 12" not in screen or tmux.press("1"))
        tmux.press("Escape")
        tmux.wait_for(lambda _: not tmux.alive)
    with opened(home / "state") as history:
        assert "eve" in [it.rater for it in history.ratings.all(rated)]
