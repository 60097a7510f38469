"""The Evaluate screen on the real app: chosen, run, looked at, stopped, killed, gone on with."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.evaluation import evaluator
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Rated
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.cli.app import tell_of
from llamadiff.tui.evaluating import Evaluating
from llamadiff.tui.screens import rate
from llamadiff.tui.screens.compare import Compare
from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.screens.evaluated_row import EvaluatedRow
from llamadiff.tui.screens.evaluation import Evaluation
from llamadiff.tui.screens.rate import Rate
from llamadiff.tui.suites_listed import Past
from llamadiff.tui.widgets.answer_table import AnswerTable
from llamadiff.tui.widgets.item_table import ItemTable
from llamadiff.tui.widgets.row_table import RowTable

from ..compare.evaluation.suites import CHECKS, LEARNED, VARIANTS, write_suite
from ..conftest import until
from .app import opened, playground, screen_text, told

SIZES = [(120, 40), (80, 24)]
ENDS = ", ".join(f"{token} = -100.0" for token in range(8))
SLOW = VARIANTS.replace("max_tokens = 24", f"max_tokens = 300\nlogit_bias = {{ {ENDS} }}")
SLOWER = SLOW.replace("300", "50")
REQUIRE = '[[require]]\nthat = "tuned.score >= base.score"\n'


def suite(home: Path, rows: int, variants: str = VARIANTS, text: str = CHECKS) -> Path:
    (home / "suites").mkdir(exist_ok=True)
    return write_suite(home / "suites", rows, 'name = "Mine"\n' + text, variants + REQUIRE)


def items(pilot: Pilot[None]) -> ItemTable:
    return pilot.app.screen.query_one(ItemTable)


def evaluating(pilot: Pilot[None]) -> Evaluating:
    it = playground(pilot).evaluating
    assert it is not None
    return it


def history(pilot: Pilot[None]) -> History:
    it = playground(pilot).session.history
    assert it is not None
    return it


def rated(pilot: Pilot[None]) -> Rated:
    return Rated("evaluation", evaluating(pilot).key or "")


async def choose(pilot: Pilot[None], typed: str) -> None:
    """Open the Evaluate screen and search."""
    await pilot.press("f4")
    await until(lambda: isinstance(pilot.app.screen, Evaluate) and items(pilot).items)
    pilot.app.screen.query_one(Input).value = typed
    await until(lambda: items(pilot).chosen is not None and "answers in all" in screen_text(pilot))


@asynccontextmanager
async def begun(home: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """The app with the own suite begun, its evaluation on the screen."""
    async with opened(home, size=size) as pilot:
        await choose(pilot, "Mine yours")
        await pilot.press("f5")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        yield pilot


async def over(pilot: Pilot[None]) -> None:
    await until(lambda: not evaluating(pilot).busy)
    await until(lambda: (seen := evaluating(pilot).seen) and seen.board.lines[0].pace)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_suite_is_run_looked_at_reported_and_removed(
    home: Path, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "UNREAD_S", 0.0)
    rows = 8 if size[0] > 100 else 4
    other = write_suite(tmp_path, 2)
    suite(home, rows, text=f'elsewhere = "{other}"\n' + CHECKS)
    async with begun(home, size) as pilot:
        await over(pilot)
        await until(lambda: "finished" in screen_text(pilot) and "VERDICT" in screen_text(pilot))
        text = screen_text(pilot)
        assert (
            f"100 %  {2 * rows} of {2 * rows} answers" in text
            and f"Mine  {rows} rows × 2 variants" in text
        )
        assert "◆ A base" in text and "  B tuned" in text and "●" in text and "┤" in text
        assert "tuned is better than base" in text or "tuned: Not decided" in text
        assert "met: tuned.score >= base.score" in text.replace("\n", " ")
        assert all(len(line) <= size[0] for line in text.splitlines())
        board = evaluating(pilot).seen
        assert board is not None and board.board.rows == rows
        assert f"{100 * board.board.lines[1].score.mean:.1f}" in text
        await pilot.press("t")
        await until(lambda: "PASSED, BY TAG" in screen_text(pilot))

        await pilot.press("tab")
        await until(lambda: re.search(r"(Fine-tune|Not decided|Neither): ", screen_text(pilot)))
        assert "Fine-tuning" in screen_text(pilot) and LEARNED in words(pilot)
        decision = evaluating(pilot).seen
        assert decision is not None and decision.decision is not None
        (elsewhere,) = decision.decision["sides"]["tuned"]["elsewhere"]
        assert (elsewhere["suite"], elsewhere["score"]["rows"]) == ("suite", 2)
        pilot.app.screen.query_one("#evaluation-decision").scroll_end(animate=False)
        await until(lambda: "no ratings yet" in words(pilot))
        head = next(it for it in screen_text(pilot).splitlines() if "Fine-tuning" in it)
        assert head.split() == ["▌", "Fine-tuning"]  # kept above what scrolled away below it
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Rate) and "1 2 pick" in words(pilot))
        await pilot.press("1")
        await until(lambda: len(history(pilot).ratings.all(rated(pilot))) == 1)
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        await until(lambda: "chance of being" in words(pilot))
        await pilot.press("tab")
        await until(
            lambda: "by disagreement" in screen_text(pilot) and "ASKS" in screen_text(pilot)
        )
        table = pilot.app.screen.query_one(RowTable)
        spreads = [row.spread for row in table.items]
        assert len(spreads) == rows and spreads == sorted(spreads, reverse=True)
        await pilot.press("down", "enter")
        await until(lambda: isinstance(pilot.app.screen, EvaluatedRow))
        await until(lambda: "score" in screen_text(pilot))
        shown = table.items[1]
        text = screen_text(pilot)
        assert f"line {shown.line}" in text and "expected: " in text and "contains: " in text
        assert len(pilot.app.screen.query_one(AnswerTable).items) == 2
        await pilot.press("down", "d")
        await until(lambda: isinstance(pilot.app.screen, Compare) and "B · tuned" in screen_text(pilot))  # fmt: skip
        assert re.search(r"A · base +→ +B · tuned *\n", screen_text(pilot))  # no clock time
        await pilot.press("escape")
        assert "← → row" in screen_text(pilot)
        await pilot.press("up", "d")  # the baseline's is compared with the other
        await until(lambda: isinstance(pilot.app.screen, Compare) and "A · base  →  B" in screen_text(pilot))  # fmt: skip
        await pilot.press("escape", "down", "space", "up", "space")
        await until(lambda: "diff B → A" in screen_text(pilot))
        await pilot.press("d")
        await until(lambda: isinstance(pilot.app.screen, Compare) and "B · tuned  →  A · base" in screen_text(pilot))  # fmt: skip
        await pilot.press("escape", "right", "escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        await until(lambda: table.chosen is not None and table.chosen == table.items[2])

        for ending in ("html", "json") if size[0] > 100 else ("json",):
            await pilot.press("w")
            await until(lambda: "Write a report" in screen_text(pilot))
            pilot.app.screen.query_one(Input).value = str(tmp_path / f"report.{ending}")
            await pilot.press("enter")
            await until((tmp_path / f"report.{ending}").exists)
        await until(lambda: "report.json" in told(pilot))
        document = json.loads((tmp_path / "report.json").read_text())
        assert document["rows"] == rows and document["evaluation"] == evaluating(pilot).key
        assert document["variants"][1]["model"]["sha256"] and document["requirements"][0]["met"]
        assert document["decision"]["sides"]["tuned"]["rated"]["ratings"] == 1

        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        pilot.app.screen.query_one(Input).value = "finished"
        verdict = str(document["decision"]["verdict"]).partition(":")[0]
        await until(lambda: f"{verdict} · {rows} rows" in screen_text(pilot))
        assert verdict in ("Fine-tune", "Not decided", "Neither")
        assert isinstance(items(pilot).chosen, Past)
        await pilot.press("delete")
        await until(lambda: "Remove the evaluation" in screen_text(pilot))
        await pilot.press("y")
        await until(lambda: not items(pilot).items)
    assert answers_in(home) == 0


async def test_it_goes_on_elsewhere_pauses_stops_and_is_gone_on_with(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator, "ROWS", 4)
    suite(home, 48, SLOW)
    async with begun(home) as pilot:
        it = evaluating(pilot)
        await until(lambda: it.answers)
        await pilot.press("f2")
        await until(lambda: "evaluating " in screen_text(pilot).splitlines()[0])
        before = len(it.answers)
        await until(lambda: len(it.answers) > before)
        await pilot.press("f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        await pilot.press("space")
        await until(lambda: it.paused and "● paused" in screen_text(pilot))
        assert it.rate is None
        await pilot.press("escape")
        await until(lambda: it.state == "stopped" and "● stopped" in screen_text(pilot))
        before = len(it.answers)
        await pilot.press("f5")
        await until(lambda: len(it.answers) > before and not it.paused)
        await pilot.press("space", "f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluate) and "paused, " in words(pilot))
        await pilot.press("f2", "f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        await pilot.press("escape")
        await until(lambda: it.state == "stopped" and "● stopped" in screen_text(pilot))
        there = answers_in(home)
        assert 0 < there == len(it.answers) < 96
        assert "evaluating" not in screen_text(pilot)

        suite(home, 48)  # another suite by now; what was stopped goes on as it was
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        pilot.app.screen.query_one(Input).value = "Mine stopped"
        await until(lambda: f"stopped at {there // 2} of 48 rows" in screen_text(pilot))
        await pilot.press("f5")
        await until(lambda: evaluating(pilot) is not it)
        going = evaluating(pilot)
        assert going.key == it.key and len(going.answers) >= there
        await until(lambda: len(going.answers) > there)
        assert going.answers[:there] == sorted(it.answers, key=lambda each: each.place)
        await pilot.press("ctrl+q")
    assert there < answers_in(home) <= 96


APP = """
import asyncio, sys
from pathlib import Path
from llamadiff.compare.evaluation import evaluator
from tests.conftest import until
from tests.tui.test_evaluate_screen import begun, evaluating
evaluator.ROWS = 4
async def main():
    async with begun(Path(sys.argv[1])) as pilot:
        await until(lambda: evaluating(pilot).answers)
        evaluating(pilot).pause()  # what is under way is finished: it is killed in the middle
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_one_that_was_killed_is_stopped_and_runs_nothing_twice(
    home: Path, tmp_path: Path
) -> None:
    other = write_suite(tmp_path, 6, variants=SLOW)
    suite(home, 12, SLOW, f'elsewhere = "{other}"\n' + CHECKS)
    process = subprocess.Popen(
        [sys.executable, "-c", APP, str(home)], start_new_session=True, cwd=Path(__file__).parents[2]
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while answers_in(home) < 8 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = texts_in(home)
    assert 8 <= len(before) < 24
    async with opened(home) as pilot:
        await choose(pilot, "Mine stopped")
        await pilot.press("f5")
        await until(lambda: playground(pilot).evaluating)
        it = evaluating(pilot)
        await until(lambda: it.elsewhere)
        await pilot.press("escape")
        await until(lambda: it.state == "stopped")
        await until(lambda: answers_in(home) == 24)
        assert texts_in(home).items() >= before.items()
        await pilot.press("tab")
        await until(lambda: "other suites are missing; F5 goes on with them" in words(pilot))
        await pilot.press("escape")
        await until(lambda: "stopped, all 12 rows are there" in words(pilot))
        await pilot.press("f5")
        await until(lambda: evaluating(pilot) is not it)
        await over(pilot)
        assert evaluating(pilot).state == "done" and len(evaluating(pilot).answers) == 24
        (elsewhere,) = evaluating(pilot).kept().measured.elsewhere
        assert elsewhere.suite == "suite" and answers_in(home) == 24


async def test_mistakes_are_told_with_their_place_and_an_edited_suite_is_read_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = suite(home, 4)
    good = path.read_text()
    path.write_text(good + '[[require]]\nthat = "tuned.scor > 1"\n[[wrong]]\na = 1\n')
    async with opened(home, size=(80, 40)) as pilot:
        await pilot.press("f4")
        await until(lambda: "✗" in screen_text(pilot))
        with warnings.catch_warnings(record=True) as unawaited:
            warnings.simplefilter("always")
            assert isinstance(pilot.app.screen, Evaluate)
            pilot.app.screen.look()  # the second look takes the place of the first, not begun yet
            pilot.app.screen.look()
            await pilot.pause()
            gc.collect()
        assert not [it for it in unawaited if "never awaited" in str(it.message)]
        pilot.app.screen.query_one(Input).value = "yours"
        await until(lambda: "✗ line " in words(pilot) and "suite.toml, line " in words(pilot))
        assert "wrong" in words(pilot)
        await pilot.press("f5")
        await until(lambda: "wrong" in told(pilot))
        assert playground(pilot).evaluating is None

        def edit(app: object, file: Path) -> str:
            file.write_text(good + '[[require]]\nthat = "tuned.scor > 1"\n')
            return ""

        monkeypatch.setattr("llamadiff.tui.screens.suite_files.edit_file", edit)
        await pilot.press("ctrl+o")
        await until(lambda: "there is no figure scor; did you mean score" in words(pilot))
        # What only the variants tell is in the details.
        assert screen_text(pilot).count("✗") == 1
        path.write_text(good)
        await pilot.press("f2", "f4")
        await until(lambda: "◆ A base: Support" in words(pilot) or "Suites" in words(pilot))
        pilot.app.screen.query_one(Input).value = "yours"
        await until(lambda: "8 answers in all" in words(pilot))
        await pilot.press("tab")
        await until(lambda: "the playground's variants" in words(pilot))
        assert "Tell me about uses no column of the dataset" in words(pilot)
        assert "such as {{ message }}" in words(pilot) and "answers in all" not in words(pilot)
        await pilot.press("f5")
        await until(lambda: "uses no column of the dataset" in told(pilot))
        assert playground(pilot).evaluating is None and answers_in(home) == 0
        await pilot.press("tab")
        await until(lambda: "8 answers in all" in words(pilot))
        rows = path.parent / "rows.jsonl"
        rows.write_text(
            "\n".join(re.sub('"message"', '"text"', it) for it in rows.read_text().splitlines())
        )
        await pilot.press("f2", "f4")  # told where it is read, not only once it is started
        await until(lambda: "asks about no column" in words(pilot) and "B tuned" in words(pilot))
        await pilot.press("f5")
        await until(lambda: "● failed" in words(pilot) and "Nothing was asked." in words(pilot))
        assert "asks about no column" in words(pilot) and "go on" not in words(pilot)
        assert "0 %" not in words(pilot)


async def test_a_suite_is_read_before_it_starts_and_what_closing_stops_is_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = suite(home, 48, SLOWER)
    lacking = VARIANTS.replace('prompt = "support"', 'prompt = "lacking.toml"', 1)
    prompt = 'name = "Lacking"\nuser = "{{ message }} {{ mood }}"\n'
    (path.parent / "lacking.toml").write_text(prompt)
    other = path.with_name("other.toml")
    other.write_text(path.read_text().replace("Mine", "Other").replace(SLOWER, lacking))
    async with opened(home, size=(80, 40)) as pilot:
        await choose(pilot, "Other")
        await until(lambda: "variant base: " in words(pilot))
        assert "mood" in words(pilot).split("variant base: ")[1].split(".")[0]
        pilot.app.screen.query_one(Input).value = ""
        await pilot.press("home")
        await until(lambda: items(pilot).place.startswith("1 of"))
        await pilot.press("end", "enter")
        await until(lambda: "starts with F5" in words(pilot) and "Mine" in words(pilot))
        assert "F5 run" in words(pilot) and "enter" not in words(pilot)
        await pilot.press("enter", "f2", "f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluate) and items(pilot).items)
        assert "Mine" in str(items(pilot).chosen) and playground(pilot).evaluating is None
        await pilot.press("f5")
        await until(lambda: playground(pilot).evaluating and evaluating(pilot).answers)
        await pilot.press("ctrl+q")
        app = pilot.app
    assert isinstance(app, LlamadiffApp) and app.unfinished is not None
    tell_of(app.unfinished, app)
    said = capsys.readouterr().err
    assert f"Mine was stopped; {answers_in(home)} of 96 answers are kept: " in said
    assert f"`llamadiff eval --resume -c 60000 {path}` goes on" in said
    path.write_text(path.read_text().replace("50", "20"))
    tell_of(app.unfinished, app)
    assert ": F4 in the app, and F5 there, go on" in capsys.readouterr().err
    async with opened(home, size=(120, 40)) as pilot:
        await choose(pilot, "Mine yours")
        await until(lambda: f"stopped at {answers_in(home) // 2} of 48" in str(items(pilot).chosen))


async def test_rows_without_a_score_are_counted_and_shown(home: Path) -> None:
    path = suite(home, 6)
    rows = path.parent / "rows.jsonl"
    lines = rows.read_text().splitlines()
    long = json.loads(lines[2])
    rows.write_text("\n".join([*lines, json.dumps({**long, "message": "word " * 70_000})]))
    async with begun(home) as pilot:
        await over(pilot)
        await until(lambda: "2 without a score" in screen_text(pilot))
        await until(lambda: "NO SCORE" in screen_text(pilot))
        await pilot.press("e")
        await until(lambda: "without a score only" in screen_text(pilot))
        table = pilot.app.screen.query_one(RowTable)
        await until(lambda: len(table.items) == 1)
        assert set(table.items[0].marks.values()) == {"!"}
        await pilot.press("enter")
        await until(lambda: "context" in screen_text(pilot))


async def test_the_playgrounds_variants_are_asked_and_code_is_run_once_allowed(home: Path) -> None:
    code = '[[checks]]\ncheck = "code"\nfunction = "own.py:check"\n'
    path = suite(home, 4, text=code)
    (path.parent / "own.py").write_text("def check(answer, row):\n    return len(answer) % 2\n")
    mine = make_variants(Defaults(prompt="support"), ["label=one", "label=two,adapter=support"])
    async with opened(home, mine, size=(80, 40)) as pilot:
        await choose(pilot, "yours")
        await pilot.press("tab")
        await until(lambda: "B two: Support, support@1" in words(pilot))
        await pilot.press("f5")
        await until(lambda: "own.py, which may do all that you may" in words(pilot))
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        assert playground(pilot).evaluating is None
        await pilot.press("f5")
        await until(lambda: "own.py, which may do all that you may" in words(pilot))
        await pilot.press("y")
        await until(lambda: playground(pilot).evaluating)
        await over(pilot)
        it = evaluating(pilot)
        assert [v.label for v in it.plan.variants] == ["one", "two"] and not it.plan.suite.require
        assert [answer.score for answer in it.answers] == [len(a.text) % 2 for a in it.answers]
        (path.parent / "own.py").write_text("def check(answer, row):\n    return 0.25\n")
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        await pilot.press("f5")
        await until(lambda: "own.py, which may do all that you may" in words(pilot))
        await pilot.press("y")
        await until(lambda: evaluating(pilot) is not it)
        await over(pilot)
        assert {answer.score for answer in evaluating(pilot).answers} == {0.25}


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


def answers_in(home: Path) -> int:
    """How many answers the history has."""
    return len(texts_in(home))


def texts_in(home: Path) -> dict[tuple[object, ...], str]:
    """The answers that the history has, by evaluation and place."""
    file = home / "state" / "history.db"
    if not file.exists():
        return {}
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20) as connection:
        try:
            found = connection.execute("SELECT evaluation, row, variant, repeat, text FROM answers")
            return {tuple(place): text for *place, text in found}
        except sqlite3.OperationalError:
            return {}
