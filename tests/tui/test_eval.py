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

from llamadiff.tui.cli.main import run

from ..compare.evaluation.suites import CHECKS, VARIANTS, write_rows, write_suite

SLOW = VARIANTS.replace("max_tokens = 24", "max_tokens = 120")
TIMES = ("ttft_s", "tokens_per_s")


def evaluate(path: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "llamadiff.tui", "eval", str(path), "--json", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def result(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], str]:
    """Its document without what is another each time, and what it told."""
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err.decode()
    document = json.loads(out)
    del document["evaluation"]
    decision = document["decision"]
    del decision["table"], decision["verdict"]
    for side in decision["sides"].values():
        assert side.pop("seconds")
        side["break_even"] = [it for it in side["break_even"] if it["unit"] != "seconds"]
    for variant in document["variants"]:
        for name in TIMES:
            assert variant.pop(name)
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


def test_killed_in_the_middle_it_goes_on_to_the_same_end(home: Path, tmp_path: Path) -> None:
    path = write_suite(tmp_path, 60, variants=SLOW)
    file = home / "state" / "history.db"
    process = evaluate(path)
    deadline = time.monotonic() + 120
    while answers_in(file) < 20 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
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
    assert head.split()[:2] == ["VARIANT", "SCORE"] and "baseline" in base
    assert tuned.split()[:2] == ["B", "tuned"] and " ms" in tuned
    assert "met: tuned.score >= base.score (tuned.score is" in out
    assert "delivery" in out and "tuned: " in out
    assert "20 rows × 2 variants = 40 answers" in err
    assert re.search(r"(Fine-tune|Not decided|Neither): ", out)
    assert "Prompting" in out and "no such variant" in out and "2,831 rows: " in out

    path.write_text(path.read_text() + '[[require]]\nthat = "tuned.score > 1"\n')
    assert run(["eval", str(path), "--rows", "4"]) == 1
    out = capsys.readouterr().out
    assert "NOT MET: tuned.score > 1" in out and "4 of 20 planned rows so far" in out


def test_rows_that_are_added_do_not_change_what_was_planned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 8)
    assert run(["eval", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["planned"] == 8
    write_suite(tmp_path, 12)
    assert run(["eval", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["planned"] == 8 and json.loads(out)["rows"] == 12
    assert "8 rows were planned when this suite was first run" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nothing"], "There is no suite nothing"),
        (["~nobody-here/suite.toml"], "There is no suite ~nobody-here/suite.toml"),
        (["suite.toml", "--variant", "prompt=~nobody-here/x.toml"], "~nobody-here/x.toml"),
        (["suite.toml", "--rows", "0"], "0 is not in the range"),
        (["suite.toml", "--var", "massage=x"], "no variant's prompt uses massage"),
        (["suite.toml", "--user", "x"], "eval takes its values from the dataset"),
        (["suite.toml", "--variant", "prompt=nothing"], "there is no prompt called nothing"),
        (["suite.toml", "--variant", "prompt=support,adapter=nothing"], "nothing"),
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
    path = write_suite(tmp_path, 1, CHECKS, VARIANTS + '[[require]]\nthat = "tuned.score > 1"\n')
    rows = [
        {"message": hostile, "expected": "you", "subject": "<b>x"},
        {"message": "Hi", "expected": "you", "subject": "y"},
    ]
    write_rows(tmp_path, rows)
    files = [tmp_path / f"out.{form}" for form in ("html", "md", "json", "xml")]
    options = [word for file in files for word in ("--report", str(file))]
    assert run(["eval", str(path), *options]) == 1
    capsys.readouterr()
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
    for report in (page, text):
        assert "Prompt or fine-tune" in report and "194,560 parameters" in report
    document = json.loads(data)
    assert document["decision"]["outcome"] == "undecided"
    assert document["decision"]["verdict"].split(":")[0] in xml
    assert document["rows"] == 2 and len(document["answers"]) == 2
    assert document["variants"][0]["model"]["sha256"]
    suite = ElementTree.fromstring(xml)[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    assert suite[0].find("failure") is not None


def test_a_report_that_cannot_be_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path, 2)
    assert run(["eval", str(path), "--report", "out.pdf"]) == 2
    assert "ends in .html, .md, .json, .xml" in capsys.readouterr().err
    assert run(["eval", str(path), "--report", str(tmp_path / "none" / "x.md")]) == 2
    assert "there is no folder" in capsys.readouterr().err
