"""Every dialog in the smallest terminals: its keys, its field and its error stay in view."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from llamadiff.tui.screens.dialog import Dialog
from llamadiff.tui.screens.sampling import SettingRow

from ..conftest import until
from .app import StillApp, playground, screen_text
from .test_layout import settle

SIZES = [(80, 24), (60, 16)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("key", ["s", "p", "a", "m", "l", "ctrl+s"])
async def test_a_dialog_shows_its_keys_and_its_error(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await until(lambda: isinstance(pilot.app.screen, Dialog) and pilot.app.focused)
        dialog = pilot.app.screen
        assert isinstance(dialog, Dialog)
        await until(lambda: "esc cancel" in screen_text(pilot))
        long = "This is wrong in every way that one can think of. " * 3
        dialog.problem(long)
        await until(lambda: "This is wrong" in screen_text(pilot))
        await until(lambda: "esc cancel" in screen_text(pilot))
        focused = pilot.app.focused
        assert isinstance(focused, Input)
        assert pilot.app.screen.region.contains_region(focused.region)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_sampling_scrolls_with_the_focus_and_says_what_is_wrong(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("s")
        await until(lambda: "esc cancel" in screen_text(pilot))
        rows = list(pilot.app.screen.query(SettingRow))
        assert rows[-1].key not in screen_text(pilot), "not all settings fit"
        await pilot.press("up")
        await until(lambda: rows[-1].key in screen_text(pilot))
        await pilot.press(*"many", "enter")
        await until(lambda: f"{rows[-1].key} must be" in " ".join(screen_text(pilot).split()))
        assert "esc cancel" in screen_text(pilot)
        assert pilot.app.screen is not playground(pilot)
