"""`llamadiff eval`: its scoreboard, exit codes, and going on after the process was killed."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llamadiff.compare.evaluation.reports.figures import (
    asked_in_short,
    by_disagreement,
    mean_scores,
)
from llamadiff.compare.history.ratings import Kept as Rating
from llamadiff.compare.history.ratings import Rated
from llamadiff.tui.cli.main import run
from llamadiff.tui.paths import log_dir, state_dir

from ..compare.evaluation.suites import CHECKS, LEARNED, VARIANTS, write_rows, write_suite
from ..compare.history.runs import opened

BRIEF = '[[checks]]\nname = "brief"\ncheck = "length"\nmost = 200\nweight = 0.0\n'
SLOW = VARIANTS.replace("max_tokens = 24", "max_tokens = 120")
TIMES = ("ttft_s", "tokens_per_s")


def evaluate(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "llamadiff.tui", "eval", *map(str, arguments), "--json"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def result(process: subprocess.Popen[bytes], *, timed: bool = True) -> tuple[dict[str, Any], str]:
    """Its document without what is another each time, and what it told."""
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err.decode()
    document = json.loads(out)
    del document["evaluation"], document["at"]
    if decision := document["decision"]:
        del decision["table"], decision["verdict"]
        for side in decision["sides"].values():
            assert bool(side.pop("seconds")) == timed
            side["break_even"] = [it for it in side["break_even"] if it["unit"] != "seconds"]
    for variant in document["variants"]:
        for name in TIMES:
            assert bool(variant.pop(name)) == timed
    return document, err.decode()


def answers_in(file: Path) -> int:
    """How many answers the history has."""
    if not file.exists():
        return 0
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20) as connection:
        try:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def test_killed_in_the_middle_it_goes_on_to_the_same_end(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 60, variants=SLOW)
    file = home / "state" / "history.db"
    process = evaluate(path)
    deadline = time.monotonic() + 120
    while answers_in(file) < 20 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    assert run(["eval", str(path), "--resume"]) == 2
    assert "is being run by another llamadiff" in capsys.readouterr().err
    with opened(home / "state") as history:
        assert run(["history", "rm", history.evaluations.find("last")]) == 2
    assert "is being run; stop it first" in capsys.readouterr().err
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = answers_in(file)
    assert 20 <= before < 120
    with sqlite3.connect(file, timeout=20) as connection:
        connection.execute("CREATE TABLE written (row, variant, repeat)")
        connection.execute(
            "CREATE TRIGGER note AFTER INSERT ON answers BEGIN INSERT INTO written "
            "VALUES (new.row, new.variant, new.repeat); END"
        )
    shown, said = result(evaluate("--show", "last"), timed=False)
    assert f"{before} are there" in said
    assert sum(len(row["answers"]) for row in shown["answers"]) == before
    resumed, said = result(evaluate(path, "--resume"))
    assert f"{before} of 120 answers are there" in said
    with sqlite3.connect(file, timeout=20) as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchone()[0] == 120 - before
    whole, said = result(evaluate(path))
    assert "are there" not in said  # that one ended; nothing is taken from it
    assert resumed == whole
    assert answers_in(file) == 240


def test_the_scoreboard_and_what_the_exit_code_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = '[[require]]\nthat = "tuned.score >= base.score"\n'
    path = write_suite(tmp_path, 20, CHECKS, VARIANTS + kept)
    assert run(["eval", str(path)]) == 0
    out, err = capsys.readouterr()
    head, base, tuned, *_ = out.splitlines()
    with opened(state_dir()) as history:
        assert f"Kept as {history.evaluations.find('last')}: --show" in err
    assert head.split()[:2] == ["VARIANT", "SCORE"] and "baseline" in base
    assert tuned.split()[:2] == ["B", "tuned"] and " ms" in tuned
    scores = re.search(r"met: tuned.score >= base.score \(tuned.score is (\S+) points, ", out)
    assert scores and scores[1] == tuned.split()[2].removesuffix(".0")
    assert "delivery" in out and "tuned is better than base" in out
    assert "20 rows × 2 variants = 40 answers" in err
    assert re.search(r"(Fine-tune|Not decided|Neither): ", out)
    assert "Fine-tuning" in out and "Prompting" not in out and LEARNED in out

    path.write_text(path.read_text() + '[[require]]\nthat = "tuned.score > 1"\n')
    assert run(["eval", str(path), "--rows", "4"]) == 1
    out = capsys.readouterr().out
    assert "NOT MET: tuned.score > 1" in out and "4 of 20 planned rows were run" in out


def test_rows_that_are_added_do_not_change_what_was_planned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 8)
    assert run(["eval", str(path), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["planned"] == 8
    write_suite(tmp_path, 12)
    assert run(["history", "rm", first["evaluation"]]) == 0
    capsys.readouterr()
    assert run(["eval", str(path), "--json", "--no-history"]) == 0
    out, err = capsys.readouterr()
    again = json.loads(out)
    assert again["planned"] == 8 and again["rows"] == 12
    keys = [[row["key"] for row in it["answers"]] for it in (first, again)]
    assert keys[1][:8] == keys[0]
    assert "8 rows were planned when these variants were first compared" in err


def test_what_was_run_is_listed_shown_again_and_removed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = '[[require]]\nthat = "tuned.score > 1"\n'
    other = write_suite(tmp_path, 6).rename(tmp_path / "other.toml")
    keys = 'repeats = 2\nelsewhere = "other.toml"\n'
    path = write_suite(tmp_path, 6, keys + CHECKS, VARIANTS + kept)
    first, again = tmp_path / "first.html", tmp_path / "again.html"
    assert run(["eval", str(path), "--rows", "4", "--json", "--report", str(first)]) == 1
    document = json.loads(capsys.readouterr().out)
    path.unlink()  # what was run is shown as it was, whatever has become of its files
    other.unlink()

    assert run(["history", "evals", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["evaluation"] == document["evaluation"] and listed["ended"]
    assert (listed["rows"], listed["planned"]) == (4, 6)
    assert listed["variants"] == ["base", "tuned"]
    assert (listed["answers"], listed["answers_asked"]) == (16, 16)
    assert run(["history", "evals"]) == 0
    assert "4 of 6" in capsys.readouterr().out

    key = document["evaluation"]
    assert run(["eval", "--show", key[:6], "--json", "--report", str(again)]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out) == document and "evaluating" not in shown.err
    (elsewhere,) = document["decision"]["sides"]["tuned"]["elsewhere"]
    assert (elsewhere["suite"], elsewhere["score"]["rows"]) == ("other", 4)
    assert again.read_text() == first.read_text()
    assert run(["eval", "--show", "last"]) == 1
    out, err = capsys.readouterr()
    assert "NOT MET: tuned.score > 1" in out and f"{key} · " in err and " ms" in out
    assert "other: " in out and "no ratings yet" in out
    with opened(home / "state") as history:
        history.ratings.put(Rated("evaluation", key), Rating("anna", 0, 0, "A", "B", "second"))
    assert run(["eval", "--show", "last"]) == 1
    out = capsys.readouterr().out
    assert "chance of being" in out and "no ratings yet" not in out

    said = json.dumps(document["answers"][0]["answers"][0]["text"])[1:20]
    file = home / "state" / "history.db"
    assert said.encode() in b"".join(it.read_bytes() for it in file.parent.iterdir())
    assert run(["history", "rm", key[:5]]) == 0
    assert "Removed 1 evaluation." in capsys.readouterr().err
    assert said.encode() not in b"".join(it.read_bytes() for it in file.parent.iterdir())
    assert run(["history", "evals", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["eval", "--show", "last"]) == 2
    assert "holds no evaluation yet" in capsys.readouterr().err


def test_what_the_engine_died_with_is_asked_again_and_by_age_evaluations_go_with_runs(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 2)
    assert run(["eval", str(path), "--resume"]) == 0
    assert "There is nothing to go on with" in capsys.readouterr().err
    with sqlite3.connect(home / "state" / "history.db", timeout=20) as connection:
        before = connection.execute("SELECT row, variant, text FROM answers").fetchall()
        connection.execute(
            "UPDATE answers SET finish_reason = 'died', error = 'The engine died.', text = '' "
            "WHERE row = 1 AND variant = 'B'"
        )
    log = log_dir() / "engine.log"
    log.rename(log.with_suffix(".kept"))
    log.mkdir()
    state = "SELECT ended, owner, beat FROM evaluations"
    with sqlite3.connect(home / "state" / "history.db", timeout=20) as connection:
        over = connection.execute(state).fetchall()
    assert run(["eval", str(path), "--resume"]) == 3
    assert "engine.log cannot be written" in capsys.readouterr().err
    with sqlite3.connect(home / "state" / "history.db", timeout=20) as connection:
        assert connection.execute(state).fetchall() == over
    log.rmdir()
    assert run(["eval", str(path), "--resume"]) == 0
    said = capsys.readouterr().err
    assert "The engine died with 1 answer in a run that is there: going on with it." in said
    with sqlite3.connect(home / "state" / "history.db", timeout=20) as connection:
        after = connection.execute("SELECT row, variant, text FROM answers").fetchall()
        assert sorted(after) == sorted(before) and all(text for *_, text in after)
        ((ended,),) = connection.execute("SELECT ended FROM evaluations").fetchall()
        assert ended is not None
    assert run(["run", "-p", "support", "--set", "max_tokens=2"]) == 0
    assert run(["history", "rm", "--older-than", "1d", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out.splitlines()[-1])["evaluations"] == 0
    assert run(["history", "rm", "--older-than", "2099-01-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["removed"], found["evaluations"], found["wiped"]) == (1, 1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Give a SUITE to run, or --show ID"),
        (["suite.toml", "--show", "last"], "Give a SUITE to run, or --show ID"),
        (["--show", "last", "--rows", "3"], "--show runs nothing"),
        (["--show", "last", "-a", "support"], "--show runs nothing"),
        (["--show", "last"], "The history holds no evaluation yet"),
        (["--show", "abc"], "no evaluation yet"),
        (["nothing"], "There is no suite nothing"),
        (["~nobody-here/suite.toml"], "There is no suite ~nobody-here/suite.toml"),
        (["suite.toml", "--variant", "prompt=~nobody-here/x.toml"], "~nobody-here/x.toml"),
        (["suite.toml", "--rows", "0"], "0 is not in the range"),
        (["suite.toml", "--var", "massage=x"], "no variant's prompt uses massage"),
        (["suite.toml", "--user", "x"], "eval takes its values from the dataset"),
        (["suite.toml", "--variant", "prompt=nothing"], "there is no prompt called nothing"),
        (["suite.toml", "--variant", "prompt=support,adapter=nothing"], "diff: No adapter or file"),
        (["suite.toml", "-a", "nothing"], "llamadiff: No adapter or file is called 'nothing'"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    write_suite(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    assert run(["eval", *options]) == 2
    out, err = capsys.readouterr()
    assert said in err and len(err.splitlines()) == 1 and not out


def test_a_prompt_that_no_row_fits_is_told_before_anything_runs(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = '[[variants]]\nprompt = "support"\nvalues = { mesage = "y" }\n'
    path = write_suite(tmp_path, 1, variants=VARIANTS + wrong)
    assert run(["eval", str(path)]) == 2
    out, err = capsys.readouterr()
    assert f"{path}: variant C: Support has no variable mesage; did you mean message?\n" in err
    assert "1 row × 3 variants = 3 answers" in err and not out
    assert answers_in(home / "state" / "history.db") == 0


def test_code_runs_only_when_that_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "own.py").write_text(
        f"open({str(mark)!r}, 'w').close()\ndef good(answer, row):\n    return 1\n"
    )
    path = write_suite(tmp_path, 2, '[[checks]]\ncheck = "code"\nfunction = "own.py:good"\n')
    assert run(["eval", str(path)]) == 2
    assert "--allow-code" in capsys.readouterr().err and not mark.exists()
    assert run(["eval", str(path), "--allow-code", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert mark.exists() and found["variants"][0]["score"]["mean"] == 1


def test_other_variants_in_place_of_the_suites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 4)
    arguments = [
        "--variant",
        "label=one",
        "--variant",
        "label=two,adapter=support@0.5",
        "-p",
        "support",
    ]
    assert run(["eval", str(path), "--json", "--no-history", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [it["label"] for it in found["variants"]] == ["one", "two"]
    assert found["variants"][1]["adapters"][0]["scale"] == 0.5
    assert found["evaluation"] is None


def test_reports_say_the_same_and_hold_no_markup_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from xml.etree import ElementTree

    hostile = "<script>alert(1)</script> | \x1b[31m \u202eeman **bold**"
    required = """
[[require]]
that = "tuned.score > 1"
[[require]]
that = 'tuned."brief" >= 0.5'
"""
    path = write_suite(tmp_path, 1, CHECKS + BRIEF, VARIANTS + required)
    rows = [
        {"message": hostile, "expected": "you", "subject": "<b>x"},
        {"message": "Hi", "expected": "you", "subject": "y"},
    ]
    write_rows(tmp_path, rows)
    files = [tmp_path / f"out.{form}" for form in ("html", "md", "json", "xml")]
    options = [word for file in files for word in ("--report", str(file))]
    assert run(["eval", str(path), *options]) == 1
    printed = capsys.readouterr().out
    page, text, data, xml = (file.read_text() for file in files)
    assert "<script" not in page and "&lt;script&gt;" in page and "http" not in page
    assert (
        not re.search(r"(?<!\\)<", text.split("## Rows")[1])
        and "\\<script\\>" in text
        and "\\*\\*bold" in text
    )
    for report in (page, text, xml):
        assert "\x1b" not in report and "\u202e" not in report
        assert "NOT MET: tuned.score &gt; 1" in report or "tuned.score \\> 1" in report
    assert not re.search(r"src=|href=|url\(|@import|\son\w+=", page)
    for report in (page, text):
        assert "Prompt or fine-tune" in report and "145,920 parameters" in report
        assert "not measured (repeats = 1)" in report
    document = json.loads(data)
    assert document["decision"]["outcome"] == "undecided"
    _, brief = document["variants"][1]["checks"]
    assert (brief["name"], brief["weight"], brief["rows"], brief["mean"]) == ("brief", 0, 2, 1)
    for report in (page, text, xml, printed):
        assert re.search(r"brief \(counts nothing\).*100\.0 \(34\.2 to 100\.0\)", report, re.DOTALL)
    assert 'met: tuned."brief" >= 0.5 (tuned."brief" is 100 points)' in printed
    assert document["decision"]["verdict"].split(":")[0] in xml
    assert document["rows"] == 2 and len(document["answers"]) == 2
    assert document["variants"][0]["model"]["sha256"]
    suite = ElementTree.fromstring(xml)[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "0")
    assert suite[0].find("failure") is not None


def test_a_report_that_cannot_be_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 2)
    assert run(["eval", str(path), "--report", "out.pdf"]) == 2
    assert "ends in .html, .md, .json, .xml" in capsys.readouterr().err
    assert run(["eval", str(path), "--report", str(tmp_path / "none" / "x.md")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def row(line: int, *scores: tuple[str, float | None]) -> dict[str, Any]:
    """A row of a document, with the scores of its answers."""
    answers = [{"variant": name, "score": score} for name, score in scores]
    values = {"message": "m" * 200, "again": "m" * 200, "subject": "x", "system": ""}
    return {"line": line, "values": values, "tags": ["x"], "turns": [], "answers": answers}


def test_rows_are_sorted_by_what_variants_differ_in_not_by_chance() -> None:
    noisy = row(1, ("A", 0), ("A", 1), ("B", 1), ("B", 0))
    steady = row(2, ("A", 0.4), ("A", 0.4), ("B", 0.6), ("B", None))
    unscored = row(3, ("A", None), ("A", None), ("B", 1), ("B", 1))
    document = {"answers": [unscored, noisy, steady]}
    assert [it["line"] for it in by_disagreement(document)] == [2, 1, 3]
    assert mean_scores(unscored) == {"A": None, "B": 1}
    assert asked_in_short(noisy) == "m" * 159 + "…"
    turns = [{"answer": "a", "reply": "b"}]
    assert asked_in_short(noisy | {"turns": turns}) == "b"
