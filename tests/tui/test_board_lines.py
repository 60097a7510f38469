"""The scoreboard's lines and the rows' order, without an app."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from llamadiff.compare.checks.result import Result
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.scoreboard import Scoreboard, scoreboard
from llamadiff.compare.evaluation.settled import Settled
from llamadiff.tui.asked_rows import ERROR, FAILED, NONE, PASSED, WAITING, arranged, asked_rows
from llamadiff.tui.board_lines import board_heads, board_lines, board_parts

from ..compare.evaluation.suites import CHECKS, VARIANTS, plan_of, write_suite


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    hostile = VARIANTS.replace('"tuned"', '"tu\\u001b[31m\\u202ened 漢字漢字漢字漢字漢字漢字漢字"')
    return plan_of(write_suite(tmp_path, 40, "repeats = 2\n" + CHECKS, hostile))


def answer(row: int, variant: str, repeat: int, score: float | None, error: str | None = None) -> Checked:  # fmt: skip
    results = (Result(score, "so"),) if error is None else ()
    return Checked(row, variant, repeat, repeat, f"said {row}", f"said {row}", 9, 20, "stop", error, None, score, results)  # fmt: skip


def answers(plan: Plan) -> list[Checked]:
    """B passes all rows, A every third; both are the same in every repeat."""
    return [
        answer(row, name, repeat, 1.0 if name == "B" else float(row % 3 == 0))
        for row in range(len(plan.rows))
        for name in "AB"
        for repeat in range(2)
    ]


def drawn(board: Scoreboard, plan: Plan, width: int, *, tags: bool) -> str:
    return board_lines(board_parts(board, plan, width, tags=tags)).plain


@pytest.mark.parametrize("width", [24, 56, 76, 116])
def test_headings_are_known_by_their_lines_and_what_is_cut_says_so(plan: Plan, width: int) -> None:
    parts = board_parts(scoreboard(plan, answers(plan)), plan, width, tags=True)
    lines = [line.plain for line in board_lines(parts).wrap(width)]
    heads = board_heads(parts, width)
    assert len(heads) >= 2
    for it in heads:
        assert it.text.plain.rstrip() == lines[it.first].rstrip()
        assert any(word in it.text.plain for word in ("VARIANT", "PASSED, BY"))
        assert it.end == len(lines) or not lines[it.end].strip()
        assert all(cell_len(line) <= width for line in lines[it.first : it.end])
    if width == 24:
        assert heads[0].text.plain.endswith("…")


@pytest.mark.parametrize("width", [56, 76, 116, 200])
def test_tables_fit_and_nothing_is_lost(plan: Plan, width: int) -> None:
    text = drawn(scoreboard(plan, answers(plan)), plan, width, tags=True)
    tables = [it for it in text.split("\n\n") if "VARIANT" in it or "BY TAG" in it]
    assert all(cell_len(line) <= width for it in tables for line in it.splitlines())
    for title in ("SCORE", "95 % INTERVAL", "DIFFERENCE", "INTERVAL", "NOISE", "VERDICT", "WON LOST", "PASSED", "PROMPT TOKENS", "FIRST TOKEN", "TOKENS/S", "TOKENS OUT"):  # fmt: skip
        assert title in text, title
    assert "▲ better" in text and "100.0" in text and "●" in text and "26 · 0" in text
    assert "\x1b" not in text and "\u202e" not in text
    first = next(it for it in tables if "VERDICT" in it or width < 60)
    assert width < 76 or "DIFFERENCE" in first


def test_each_check_has_its_own_scores(tmp_path: Path) -> None:
    brief = '[[checks]]\nname = "brief"\ncheck = "length"\nmost = 9\nweight = 0.0\n'
    plan = plan_of(write_suite(tmp_path, 40, CHECKS + brief))
    found = [
        replace(it, results=(*it.results, Result(float(it.row < 10), "so")))
        for it in answers(plan)
        if it.repeat == 0
    ]
    failed = replace(found[-1], score=None, results=(), error="too long")  # of B, on the last row
    board = scoreboard(plan, [*found[:-1], failed])
    assert [(it.name, it.score.mean, it.score.rows) for it in board.lines[1].checks] == [
        ("contains", 39 / 40, 40),
        ("brief", 10 / 40, 40),
    ]
    for width in (56, 120):
        text = drawn(board, plan, width, tags=False)
        assert "CONTAINS" in text and "BRIEF (COUNTS NOTHING)" in text
        assert "25.0 (14.2 to 40.2)" in text and "97.5 (87.1 to 99.6)" in text
        assert "Noise floor: not measured (repeats = 1)" in text


def test_bars_stand_on_one_scale(plan: Plan) -> None:
    board = scoreboard(plan, answers(plan))
    low, high = board.lines
    lines = drawn(board, plan, 116, tags=False).splitlines()
    a, b = lines[1], lines[2]
    assert "├" in a and "┤" in a and a.index("●") < b.index("●")
    assert low.score.interval.high < high.score.interval.low and a.index("┤") < b.index("●")


def test_without_answers_there_are_no_figures(plan: Plan) -> None:
    text = drawn(scoreboard(plan, []), plan, 116, tags=True)
    assert "–" in text and "0 of 40 planned rows so far" in text and "●" not in text


def test_planned_rows_that_are_gone_are_told(plan: Plan) -> None:
    gone = Settled(plan.planned.keys | {"x", "y"}, 42, frozenset("xy"))
    plan = replace(plan, planned=gone)
    text = drawn(scoreboard(plan, answers(plan)), plan, 116, tags=True)
    assert "2 of the 42 rows planned are no longer in the dataset" in text
    assert "planned rows so far" not in text


def test_rows_are_marked_sorted_and_searched(plan: Plan) -> None:
    found = [
        *(answer(0, name, repeat, 1.0) for name in "AB" for repeat in range(2)),
        answer(1, "A", 0, 0.0), answer(1, "A", 1, 0.0), answer(1, "B", 0, 1.0), answer(1, "B", 1, 0.5),
        answer(2, "A", 0, None, "too long"), answer(2, "B", 0, None),
    ]  # fmt: skip
    rows = asked_rows(plan, found)
    assert [rows[0].marks["A"], rows[1].marks["A"], rows[1].marks["B"]] == [PASSED, FAILED, "75"]
    assert [rows[2].marks["A"], rows[2].marks["B"], rows[3].marks["A"]] == [ERROR, NONE, WAITING]
    assert next(row.place for row in arranged(rows, "disagreement")) == 1
    assert [row.place for row in arranged(rows, "failing")][:2] == [1, 0]
    lines = [row.line for row in arranged(rows, "line")]
    assert lines == sorted(lines)
    assert [row.tags for row in arranged(rows, "tag")] == sorted(row.tags for row in rows)
    assert [row.place for row in arranged(rows, "line", errors=True)] == [2]
    assert [row.place for row in arranged(rows, "line", ["SAID", "1"])] == [1]
    tag = rows[0].tags[0]
    tagged = [row.place for row in arranged(rows, "line", [f"tag:{tag}".upper()])]
    assert sorted(tagged) == [row.place for row in rows if tag in row.tags] != [*range(len(rows))]
    assert arranged(rows, "line", [f"tag:{tag[:2]}", "said", "0"])[:1] == [rows[0]]
    assert not arranged(rows, "line", ["tag:said"])
