"""What is typed is there again when its prompt is opened, until it is saved or dropped."""

from __future__ import annotations

import signal
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.history.drafts import Drafts
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.amounts import moment
from llamadiff.tui.screens.both_changed import BothChanged
from llamadiff.tui.screens.pick_prompt import PickPrompt
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import OWN_PROMPT, current_prompt, opened, paste, playground, screen_text, told
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
        await pilot.press("!", "ctrl+s")
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        await until(lambda: "edited" not in screen_text(pilot))
    mine.write_text(OWN_PROMPT)
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."


async def test_undo_goes_back_behind_a_save_and_a_restart(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!", "ctrl+s")
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        await until(lambda: "edited" not in screen_text(pilot))
    for _ in range(2):
        async with opened(home, variants(mine)) as pilot:
            assert "draft of" not in screen_text(pilot)
            await until(lambda: playground(pilot).query_one(PromptEditor).history.undo_stack)
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: playground(pilot).query_one(PromptEditor).history.undo_stack)
        await pilot.press("ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
        assert "edited" in screen_text(pilot)
        await pilot.press("ctrl+y", "escape", "p")
        await until(lambda: isinstance(pilot.app.screen, PickPrompt))
        assert "draft" not in screen_text(pilot)
    mine.write_text(OWN_PROMPT.replace("brief", "quick"))
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."
        assert not playground(pilot).query_one(PromptEditor).history.undo_stack


async def test_drafts_go_with_what_was_opened(home: Path, mine: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(OWN_PROMPT.replace("Mine", "Other"))
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
    async with opened(home, [replace(variants(other)[0]), replace(variants(mine)[1], name="B")]) as pilot:  # fmt: skip
        await until(lambda: playground(pilot).playground.variants[1].prompt.user.endswith("!"))
        assert current_prompt(pilot).user == "Say {{ it }}."


async def test_what_another_program_wrote_meanwhile_is_not_typed_over(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
    mine.write_text(OWN_PROMPT.replace("Be brief.", "Be long."))
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: current_prompt(pilot).system == "Be long.")
        assert current_prompt(pilot).user == "Say {{ it }}.!"
        await until(lambda: "that is in here now" in told(pilot))
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        assert current_prompt(pilot).system == "Be long."
        await pilot.press("ctrl+s")
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        assert load_prompt(mine).system == "Be long." and "# mine" in mine.read_text()


@pytest.mark.parametrize(
    ("keys", "user"), [(["enter"], "Say {{ it }}.!"), (["down", "enter"], "Ask {{ it }}.")]
)
async def test_the_same_words_changed_meanwhile_are_asked_about(
    home: Path, mine: Path, keys: list[str], user: str
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
    mine.write_text(OWN_PROMPT.replace("Say", "Ask"))
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: isinstance(pilot.app.screen, BothChanged))
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert current_prompt(pilot).user == "Say {{ it }}.!"
    assert load_prompt(mine).user == "Ask {{ it }}."
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: isinstance(pilot.app.screen, BothChanged))
        await pilot.press(*keys)
        await until(lambda: pilot.app.screen is playground(pilot))
        assert current_prompt(pilot).user == user
        await pilot.press("ctrl+s")
        await until(lambda: load_prompt(mine).user == user)


async def pick(pilot: Pilot[None], typed: str) -> None:
    await pilot.press("escape", "p")
    await until(lambda: isinstance(pilot.app.screen, PickPrompt))
    picker = pilot.app.screen
    assert isinstance(picker, PickPrompt)
    await until(lambda: picker.choices)
    await paste(pilot, typed)
    await pilot.press("enter")
    await until(lambda: pilot.app.screen is playground(pilot))


async def test_a_prompt_opened_later_has_its_draft_back(home: Path, mine: Path) -> None:
    for words in ("!", "!?"):
        async with opened(home) as pilot:
            await pick(pilot, str(mine))
            if words != "!":
                await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
                assert "draft of " in screen_text(pilot)
            await pilot.press("e", words[-1])
            await until(lambda: current_prompt(pilot).user == f"Say {{{{ it }}}}.{words}")  # noqa: B023
    async with opened(home) as pilot:
        assert not await playground(pilot).use_prompt(mine), "as the library does"
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!?")
        # put aside for another one, and taken again
        await pick(pilot, "tell-me-about")
        await until(lambda: current_prompt(pilot).slug == "tell-me-about")
        await pick(pilot, str(mine))
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!?")
        await pilot.press("escape", "D")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert current_prompt(pilot).user == "Say {{ it }}."


async def test_a_prompt_without_a_file_is_offered_until_it_is_dropped(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "f")
        assert "no file" in screen_text(pilot)
        await pilot.press("e", "!")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: "A prompt was never saved; p has the draft." in told(pilot))
        assert current_prompt(pilot).user == "Say {{ it }}."
        await pick(pilot, "Mine A")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        assert current_prompt(pilot).path is None and "draft of " in screen_text(pilot)
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: "A prompt was never saved" in told(pilot))
        await pick(pilot, "Mine A")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        await pilot.press("escape", "D")
        await until(lambda: "no draft of it is kept now" in told(pilot))
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert "never saved" not in told(pilot)


async def test_what_a_key_made_and_nobody_typed_in_goes_with_its_variant(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "f", "u")
        await until(lambda: current_prompt(pilot).path == mine)
        await pilot.press("f")
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: "A prompt was never saved" in told(pilot))
        await pick(pilot, "Mine A")
        await until(lambda: current_prompt(pilot).name == "Mine A")
        await pilot.press("D")
        await pilot.press("f", "u")
    async with opened(home, variants(mine)) as pilot:
        await pilot.pause()
        assert "never saved" not in told(pilot)


async def test_one_file_edited_twice_keeps_both(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
        playground(pilot).select("B")
        await pick(pilot, "tell-me-about")
        await pick(pilot, str(mine))
        b = playground(pilot).playground.variants[1]
        assert b.prompt.user == "Say {{ it }}."
        await pilot.press("e", "?")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.?")
        playground(pilot).keep_drafts()
        await pilot.press("backspace")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")


async def test_a_draft_that_cannot_be_read_stops_nothing(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
    with closing(sqlite3.connect(home / "state" / "history.db")) as connection:
        no_prompt = zlib.compress(b'{"name":"X","messages":[{"role":"user"}]}')
        connection.execute("UPDATE drafts SET content = ?", (no_prompt,))
        connection.commit()
    async with opened(home, variants(mine)) as pilot:
        assert "A draft is left out." in told(pilot)
        await pilot.press("?")
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.?")


async def test_the_engine_starts_whatever_becomes_of_the_drafts(
    home: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Drafts, "newest", broken)
    async with opened(home, variants(mine)) as pilot:
        assert "ZeroDivisionError" in told(pilot)


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
