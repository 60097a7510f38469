"""Jump mode: F6 and a letter go to any pane or field, also out of the editor."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.screens.jump import Jump, targets_of
from llamadiff.tui.widgets.compared_text import ComparedText
from llamadiff.tui.widgets.entry_details import EntryDetails
from llamadiff.tui.widgets.prompt_editor import PromptEditor
from llamadiff.tui.widgets.tab_strip import TabStrip
from llamadiff.tui.widgets.variant_list import VariantList

from ..conftest import until
from .app import StillApp, playground, screen_text


async def jump(pilot: Pilot[None]) -> Jump:
    await pilot.press("f6")
    await until(lambda: isinstance(pilot.app.screen, Jump) and pilot.app.screen.children)
    screen = pilot.app.screen
    assert isinstance(screen, Jump)
    return screen


async def go(pilot: Pilot[None], widget: Widget) -> None:
    """To what has this letter, which is shown where that begins."""
    await until(lambda: widget in [it.widget for it in targets_of(pilot.app.screen)])
    (target,) = [it for it in (await jump(pilot))._targets if it.widget is widget]
    row = screen_text(pilot).splitlines()[target.at.y]
    assert row[target.at.x :].startswith(f" {target.letter}")
    await pilot.press(target.letter)
    await until(lambda: pilot.app.focused is widget)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
async def test_a_letter_goes_to_each_pane_and_field(tmp_path: Path, size: tuple[int, int]) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        await until(lambda: "done" in screen_text(pilot) and "tok" in screen_text(pilot))
        if size[0] == 80:
            await until(lambda: isinstance(pilot.app.focused, ComparedText))
        panes = 3 if size[0] == 120 else 1

        def kinds_of() -> list[type[Widget]]:
            return [type(it.widget) for it in targets_of(playground(pilot))]

        await until(lambda: kinds_of().count(ComparedText) == panes)
        targets, kinds = [it.widget for it in targets_of(playground(pilot))], kinds_of()
        assert PromptEditor in kinds and TabStrip in kinds
        assert (VariantList in kinds) == (size[0] == 120)
        for widget in targets:
            await go(pilot, widget)

        # Any other key changes nothing, nor does a second F6 or another size.
        before = pilot.app.focused
        for key in ("escape", "8", "f6"):
            await jump(pilot)
            await pilot.press(key)
            await until(lambda: pilot.app.screen is playground(pilot))
            assert pilot.app.focused is before
        await jump(pilot)
        await pilot.resize_terminal(size[0] - 1, size[1])
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_it_is_there_on_pages_and_in_dialogs(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await until(lambda: isinstance(pilot.app.focused, ComparedText))
        await pilot.press("s")
        await until(lambda: len(targets_of(pilot.app.screen)) > 1)
        await go(pilot, targets_of(pilot.app.screen)[-1].widget)
        await pilot.press("f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        await until(lambda: isinstance(pilot.app.focused, Input))
        screen = pilot.app.screen
        await go(pilot, screen.query_one(EntryDetails))
        await go(pilot, screen.query_one(Input))
