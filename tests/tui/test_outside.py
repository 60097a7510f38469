"""Prompt files changed by other programs: taken in, asked about, never written over."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.outside import News
from llamadiff.tui.screens.both_changed import BothChanged
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import OWN_PROMPT, current_prompt, opened, playground, screen_text, told


def variants(path: Path) -> list[Variant]:
    return make_variants(Defaults(prompt=str(path)), ["label=one", "label=two"])


async def news(pilot: Pilot[None]) -> list[News]:
    outside = playground(pilot)._outside
    assert outside is not None
    return await outside.look()


async def test_another_field_is_taken_in_and_saving_keeps_both(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
        mine.write_text(OWN_PROMPT.replace("Be brief.", "Be long."))
        await until(lambda: current_prompt(pilot).system == "Be long.")
        assert current_prompt(pilot).user == "Say {{ it }}.!"
        assert "mine.toml was changed by another program; that is in here now." in told(pilot)
        await until(lambda: "edited" in screen_text(pilot))
        await pilot.press("ctrl+s", "enter")
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        assert load_prompt(mine).system == "Be long." and "# mine" in mine.read_text()


async def test_words_that_come_in_are_a_step_of_undo(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        mine.write_text(OWN_PROMPT.replace("Say {{", "Please say {{"))
        await until(lambda: current_prompt(pilot).user == "Please say {{ it }}.")
        assert playground(pilot).query_one(PromptEditor).text == "Please say {{ it }}."
        assert "edited" not in screen_text(pilot)
        await pilot.press("ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.")
        await until(lambda: "edited" in screen_text(pilot))


@pytest.mark.parametrize(
    ("keys", "user"),
    [(["enter"], "Say {{ it }}.!"), (["down", "enter"], "Ask {{ it }}."), (["escape"], "Say {{ it }}.!")],
    ids=["mine", "theirs", "later"],
)  # fmt: skip
async def test_the_same_field_is_asked_about(
    home: Path, mine: Path, keys: list[str], user: str
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
        mine.write_text(OWN_PROMPT.replace("Say", "Ask").replace("hello", "bye"))
        await until(lambda: isinstance(pilot.app.screen, BothChanged))
        await until(lambda: "Ask" in screen_text(pilot))
        assert "Both changed user." in screen_text(pilot)
        await pilot.press(*keys)
        await until(lambda: pilot.app.screen is playground(pilot))
        assert current_prompt(pilot).user == user
        if keys != ["escape"]:
            assert current_prompt(pilot).variables[0].default == "bye"
        assert not await news(pilot), "asked once"
        await pilot.press("ctrl+s", "enter")
        if keys == ["escape"]:
            await until(lambda: isinstance(pilot.app.screen, BothChanged))
            assert load_prompt(mine).user == "Ask {{ it }}.", "nothing is written over"
            await pilot.press("enter")
        await until(lambda: load_prompt(mine).user == user)
        assert load_prompt(mine).variables[0].default == "bye"


async def test_a_file_that_is_no_prompt_now_is_said_and_taken_in_once_it_is_one(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        mine.write_text("name = ")
        await until(lambda: "cannot be used now; yours is kept." in told(pilot))
        assert current_prompt(pilot).user == "Say {{ it }}."
        mine.unlink()
        assert not await news(pilot)
        mine.write_text(OWN_PROMPT.replace("Say", "Tell me"))
        await until(lambda: current_prompt(pilot).user == "Tell me {{ it }}.")


async def test_a_pipe_in_the_place_of_a_prompt_holds_up_nothing(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        mine.unlink()
        os.mkfifo(mine)
        await until(lambda: "is not an ordinary file" in told(pilot))
        assert current_prompt(pilot).user == "Say {{ it }}."
        mine.unlink()
        mine.write_text(OWN_PROMPT.replace("Say", "Ask"))
        await until(lambda: current_prompt(pilot).user == "Ask {{ it }}.")


async def test_a_slow_look_is_neither_given_up_nor_joined_by_another(
    home: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home, variants(mine)) as pilot:
        screen = playground(pilot)
        await until(lambda: screen._outside is not None and not screen._looking)
        assert screen._outside is not None
        begun, let_go, look = [0], asyncio.Event(), screen._outside.look

        async def slow() -> list[News]:
            begun[0] += 1
            await let_go.wait()
            return await look()

        monkeypatch.setattr(screen._outside, "look", slow)
        await until(lambda: begun[0] > 0)
        for _ in range(3):
            screen._look_outside()
            await pilot.pause()
        assert begun == [1]
        mine.write_text(OWN_PROMPT.replace("Say", "Ask"))
        let_go.set()
        await until(lambda: current_prompt(pilot).user == "Ask {{ it }}.")
