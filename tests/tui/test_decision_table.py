"""The decision table as a widget and as lines: every figure is there, at every width."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from llamadiff.tui.decision_lines import decision_lines, wrapped
from llamadiff.tui.widgets.decision_table import DecisionTable
from llamadiff.tui.widgets.headed_scroll import HeadedScroll
from llamadiff.tui.widgets.lines import Line

from ..conftest import until
from .app import screen_text

HOSTILE = "la\x1b[31mbel \u202e日本語テキスト"
DOCUMENT: dict[str, Any] = {
    "verdict": "Fine-tune: the adapter is better by 14.2 points (9.6 to 19.4).",
    "head": ["", "Prompting", "Fine-tuning", "Both"],
    "table": [
        {"row": "definition", "cells": [["text: prompt"], [f"adapter: {HOSTILE}"], ["both"]]},
        {
            "row": "what makes tuning succeed",
            "cells": [["–"], ["data checks: none of 2,958 rows is there twice", "no ratings yet"], ["–"]],
        },
        {"row": "long", "cells": [["x" * 90], ["1"], ["2"]]},
    ],
    "notes": ["Up to 3 points do not matter."],
}  # fmt: skip


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        with HeadedScroll():
            yield DecisionTable()


@pytest.mark.parametrize("width", [20, 50, 70, 80, 120, 200])
def test_lines_fit_and_lose_nothing(width: int) -> None:
    lines = [title + rest for title, rest in decision_lines(DOCUMENT, width)]
    assert all(cell_len(line) <= width for line in lines), lines
    assert all("\x1b" not in line and "\u202e" not in line for line in lines)
    text = "".join("".join(lines).split())
    assert text.count("x") >= 90 and "2,958" in text
    if width >= 80:
        assert lines[0].split() == ["Prompting", "Fine-tuning", "Both"]
        assert lines[1].startswith("definition ")
        column = lines[0].index("Fine-tuning")
        assert lines[1][column:].startswith("adapter: ")


def test_words_are_kept_whole_where_they_fit() -> None:
    assert wrapped("one two three", 7, hang=1) == ["one two", " three"]
    assert wrapped("abcdefghij kl", 6, hang=1) == ["abcde", " fghij", " kl"]
    assert wrapped("", 10) == [""]
    assert wrapped("broken: 31.1 % (13 to 55)", 13) == ["broken:", "31.1 % (13 to", "55)"]
    assert wrapped("time 47 s", 8) == ["time", "47 s"]
    named = "sentiment-engineered@1.5+support_v2"
    assert wrapped(named, 16, hang=1) == ["sentiment-", " engineered@1.5+", " support_v2"]


async def test_the_heading_stays_while_the_table_scrolls(home: object) -> None:
    app = Shown()
    async with app.run_test(size=(80, 12)) as pilot:
        table, pane = app.query_one(DecisionTable), app.query_one(HeadedScroll)
        table.decision = DOCUMENT | {"table": DOCUMENT["table"] * 6}
        line = pane.query_one(".kept-head", Line)
        await until(lambda: pane.max_scroll_y > 20 and table.heads)
        assert not line.visible
        pane.scroll_to(y=9, animate=False)
        await until(lambda: line.visible)
        await until(lambda: screen_text(pilot).split()[:3] == ["Prompting", "Fine-tuning", "Both"])
        pane.scroll_end(animate=False)
        pane.scroll_home(animate=False)
        await until(lambda: not line.visible)
        await pilot.pause()


async def test_the_widget_shows_it_and_grows(home: object) -> None:
    app = Shown()
    async with app.run_test(size=(100, 30)) as pilot:
        table = app.query_one(DecisionTable)
        assert "No decision" in str(table.render())
        table.decision = DOCUMENT
        await until(lambda: table.size.height > 5)
        text = str(table.render())
        assert text.startswith("Fine-tune: the adapter is better by 14.2")
        assert "Prompting" in text and "no ratings yet" in text and "Up to 3 points" in text
        wide = table.size.height
        await pilot.resize_terminal(50, 30)
        await until(lambda: table.size.height != wide and table.size.width < 60)
        lines = str(table.render()).splitlines()
        assert len(lines) == table.size.height and max(map(cell_len, lines)) <= table.size.width
