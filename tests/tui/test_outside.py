"""Prompt files changed by other programs: taken in, asked about, never written over."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
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


async def looked_by_the_test_alone(pilot: Pilot[None]) -> None:
    """From here on only the test itself looks at the files."""
    await until(lambda: not playground(pilot)._looking)
    playground(pilot)._looking = True


async def test_another_field_is_taken_in_and_saving_keeps_both(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!")
        mine.write_text(OWN_PROMPT.replace("Be brief.", "Be long."))
        await until(lambda: current_prompt(pilot).system == "Be long.")
        assert current_prompt(pilot).user == "Say {{ it }}.!"
        await until(lambda: "mine.toml was changed on disk; that is in here now." in told(pilot))
        await until(lambda: "edited" in screen_text(pilot))
        await pilot.press("ctrl+s")
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
        await pilot.press("ctrl+s")
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


DEPENDING = """\
name = "Mine"
include = ["parts/tone.toml"]
user = "Hi"
examples = { data = "rows.jsonl" }
[output]
grammar = "answer.gbnf"
"""


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("parts/tone.toml", 'system = "new"', "new"),
        ("parts/deeper.toml", 'prefill = "new"', "new"),
        ("rows.jsonl", '{"user": "new", "assistant": "b"}', "new"),
        ("answer.gbnf", 'root ::= "new"', "new"),
    ],
)
async def test_a_file_that_a_prompt_depends_on_is_noticed(
    home: Path, tmp_path: Path, name: str, text: str, shown: str
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "tone.toml").write_text('include = ["deeper.toml"]\nsystem = "old"')
    (tmp_path / "parts" / "deeper.toml").write_text('prefill = "old"')
    (tmp_path / "rows.jsonl").write_text('{"user": "a", "assistant": "b"}')
    (tmp_path / "answer.gbnf").write_text('root ::= "old"')
    path = tmp_path / "mine.toml"
    path.write_text(DEPENDING)
    async with opened(home, variants(path)) as pilot:
        await pilot.press("!")
        await until(lambda: len(_watched(pilot)) == 5)
        if name == "rows.jsonl":
            (tmp_path / name).write_text("no row")
            await until(lambda: "cannot be used now" in told(pilot))
        (tmp_path / name).write_text(text)
        await until(lambda: shown in repr(current_prompt(pilot)))
        await until(lambda: f"{Path(name).name} was changed on disk; that" in told(pilot))
        assert current_prompt(pilot).user == "Hi!"


def _watched(pilot: Pilot[None]) -> dict[Path, tuple[int, ...]]:
    """The files that are watched for the selected variant's prompt."""
    screen = playground(pilot)
    variant = screen.playground.current
    if variant is None or screen._outside is None:
        return {}
    return screen._outside._seen.get(screen.playground.documents.of(variant), {})


async def test_every_document_of_a_file_hears_of_its_change(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("!", "escape", "down")
        state = playground(pilot).playground
        state.selected = "B"
        current = state.current
        assert current is not None
        state.update(replace(current, prompt=load_prompt(mine)))
        assert len(state.documents.all()) == 2
        mine.write_text(OWN_PROMPT.replace("Be brief.", "Be long."))
        await until(lambda: {it.prompt.system for it in state.variants} == {"Be long."})
        assert {it.prompt.user for it in state.variants} == {"Say {{ it }}.", "Say {{ it }}.!"}


async def test_a_file_that_is_deleted_is_told_once_and_saved_with_its_comments(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        await until(lambda: len(_watched(pilot)) == 1)
        await pilot.press("!")
        mine.unlink()
        await until(lambda: "mine.toml was deleted by another program" in told(pilot))
        assert not await news(pilot) and not await news(pilot)
        await pilot.press("ctrl+s", "enter")
        await until(mine.exists)
        await until(lambda: load_prompt(mine).user == "Say {{ it }}.!")
        assert "# mine" in mine.read_text()
        await until(lambda: all(_watched(pilot).values()))
        await looked_by_the_test_alone(pilot)
        mine.unlink()
        found = [item for _ in range(3) for item in await news(pilot)]
        assert [item.deleted for item in found] == [True], "told again"


async def test_a_file_that_is_away_for_a_moment_is_not_called_deleted(
    home: Path, mine: Path
) -> None:
    async with opened(home, variants(mine)) as pilot:
        outside = playground(pilot)._outside
        assert outside is not None
        await until(lambda: len(_watched(pilot)) == 1)
        await looked_by_the_test_alone(pilot)
        text = mine.read_text()
        mine.unlink()
        assert not await outside.look()
        mine.write_text(text.replace("Say", "Ask"))
        (item,) = await outside.look()
        assert not item.deleted and current_prompt(pilot).user == "Ask {{ it }}."


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
