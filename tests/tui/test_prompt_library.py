"""The Library's prompts: found as one types, read, taken, copied, renamed and tagged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.models.catalog import Catalog
from llamadiff.prompts.library import PromptEntry, shipped
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.screens.library import Library
from llamadiff.tui.widgets.entry_table import EntryTable

from ..conftest import until
from .app import StillApp, playground, screen_text
from .test_layout import SIZES, settle

FILE = 'name = "Mine"\ntags = ["mytag"]\nsystem = "Be zebra."\nuser = "Say {{ it }}."\n'


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalog, "scan", lambda self, on_progress=None: None)
    monkeypatch.setattr(Catalog, "models", lambda self: [])
    monkeypatch.setattr(Catalog, "adapters", lambda self: [])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "prompts" / "mine.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def shown(pilot: Pilot[None]) -> list[str]:
    return [entry.name for entry in pilot.app.screen.query_one(EntryTable).entries]


def chosen(pilot: Pilot[None]) -> PromptEntry:
    entry = pilot.app.screen.query_one(EntryTable).chosen
    assert isinstance(entry, PromptEntry)
    return entry


async def open_prompts(pilot: Pilot[None]) -> None:
    await settle(pilot)
    await pilot.press("f3")
    await until(lambda: isinstance(pilot.app.screen, Library) and "● ready" in screen_text(pilot))
    await pilot.press("tab", "tab")
    await until(lambda: len(shown(pilot)) >= len(shipped()))


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_prompts_look_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    async def open_it(pilot: Pilot[None]) -> None:
        await open_prompts(pilot)
        pilot.app.screen.query_one(Input).cursor_blink = False
        await pilot.press("down", "down", "down", "down", "down")
        await until(lambda: "the shop" in screen_text(pilot) or "variables" in screen_text(pilot))
        for _ in range(3):
            await pilot.pause(0.1)

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=open_it)


async def test_it_is_found_by_name_tag_and_words_and_taken(tmp_path: Path, mine: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await open_prompts(pilot)
        assert shown(pilot) == ["Mine", *(prompt.name for prompt in shipped())]
        for typed in ("mine", "#mytag", "zebra"):
            await pilot.press(*typed)
            await until(lambda: shown(pilot)[:1] == ["Mine"])
            await pilot.press("escape")
        await pilot.press(*"mine")
        await until(lambda: "Be zebra." in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert playground(pilot).playground.variants[0].prompt == load_prompt(mine)
        assert playground(pilot).playground.variants[2].prompt.name != "Mine"


async def test_a_prompt_is_copied_renamed_and_tagged(tmp_path: Path, mine: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await open_prompts(pilot)
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        history = playground(pilot).session.history
        assert history is not None
        history.saved(load_prompt(mine))
        await open_prompts(pilot)
        await pilot.press("ctrl+n", *"!", "tab", *"s", "enter")
        await until(lambda: chosen(pilot).name == "Mine!" and chosen(pilot).slug == "mines")
        moved = mine.with_name("mines.toml")
        assert playground(pilot).playground.variants[0].prompt.path == moved
        assert len(history.versions(load_prompt(moved))) == 1
        await pilot.press("ctrl+g", *" new", "enter")
        await until(lambda: chosen(pilot).tags == ("mytag", "new"))
        await pilot.press("ctrl+d", "enter")
        await until(lambda: chosen(pilot).slug == "mines-2")
        assert load_prompt(mine.with_name("mines-2.toml")).user == "Say {{ it }}."
        assert load_prompt(moved).tags == ("mytag", "new")


async def test_what_cannot_be_done_is_said(tmp_path: Path, mine: Path) -> None:
    mine.with_name("broken.toml").write_text("user = 3")
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await open_prompts(pilot)
        await pilot.press(*"broken", "enter")
        await until(
            lambda: "✗ broken" in screen_text(pilot) and "user must be text" in words(pilot)
        )
        await pilot.press("escape", *"tell", "ctrl+g", *"x", "enter")
        await until(lambda: "✗ The prompts that ship with" in screen_text(pilot))
        assert "stay as they are;" in screen_text(pilot) and "duplicate it." in screen_text(pilot)
        await pilot.press("escape", *"mine", "ctrl+d", *"mine", "enter")
        await until(lambda: "is there already; give another name" in words(pilot))


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


async def test_the_keys_of_prompts_are_not_there_for_models(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("f3")
        await until(lambda: isinstance(pilot.app.screen, Library))
        await pilot.press("ctrl+d", "ctrl+n", "ctrl+g")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Library)
