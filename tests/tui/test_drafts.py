"""What is typed is there again at the next start, with its undo steps, until it is saved or dropped."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.amounts import moment
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import OWN_PROMPT, current_prompt, opened, playground, screen_text
from .tmux import HAS_TMUX, Tmux

Closing = list[Callable[[], object]]


def variants(path: Path) -> list[Variant]:
    return make_variants(Defaults(prompt=str(path)), ["label=one", "label=two"])


async def test_what_was_typed_is_there_again_with_its_undo_steps(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
        playground(pilot).query_one(PromptEditor).history.checkpoint()
        await pilot.press("?")
        await until(lambda: current_prompt(pilot).user.endswith("!?"))
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!?")
        screen = screen_text(pilot)
        assert "draft of " in screen and ", not saved · D drops it" in screen
        assert {v.prompt.user for v in playground(pilot).playground.variants} == {"Say {{ it }}.!?"}
        await pilot.press("ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        await pilot.press("ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
        assert "draft of" not in screen_text(pilot)
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."
    assert mine.read_text() == OWN_PROMPT


async def test_a_dropped_draft_can_be_had_back_with_undo_and_is_gone_otherwise(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press(*"!?")
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: "draft of" in screen_text(pilot))
        await pilot.press("escape", "D")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
        await until(lambda: "draft of" not in screen_text(pilot))
        await pilot.press("e", "ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!?")
        await pilot.press("ctrl+y")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."


async def test_a_saved_prompt_leaves_no_draft(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!", "ctrl+s", "enter")
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        await until(lambda: "edited" not in screen_text(pilot))
    mine.write_text(OWN_PROMPT)
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."


async def test_drafts_go_with_what_was_opened(home: Path, mine: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(OWN_PROMPT.replace("Mine", "Other"))
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
    async with opened(home, [replace(variants(other)[0]), replace(variants(mine)[1], name="B")]) as pilot:  # fmt: skip
        await until(lambda: playground(pilot).playground.variants[1].prompt.user.endswith("!"))
        assert current_prompt(pilot).user == "Say {{ it }}."


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
def test_a_killed_app_loses_at_most_a_second(closing: Closing, home: Path, mine: Path) -> None:
    import os
    import time

    first = Tmux(120, 40, home, "-p", str(mine))
    closing.append(first.close)
    first.wait_for("tok")
    first.type("Loudly, please.")
    first.wait_for("Loudly, please.")
    time.sleep(1.5)  # what is promised: typed longer ago than a second
    os.kill(first.pid, signal.SIGKILL)
    again = Tmux(80, 24, home, "-p", str(mine))
    closing.append(again.close)
    again.wait_for("Loudly, please.")


def test_times_are_said_as_people_do() -> None:
    now = datetime(2026, 3, 4, 12, 0).astimezone()
    assert moment(now.replace(hour=9, minute=5), now) == "09:05"
    assert moment(now.astimezone(UTC), now) == "12:00"
    assert moment(now - timedelta(hours=13), now) == "yesterday 23:00"
    assert moment(now - timedelta(days=3), now) == "1 Mar 12:00"
    assert moment(now - timedelta(days=400), now) == "28 Jan 2025"
