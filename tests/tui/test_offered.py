"""Everything can be reached with the keyboard alone: each key that help names, each command of the palette."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen

from llamadiff.tui.keys import APP_KEYS
from llamadiff.tui.offered import Offered, offered
from llamadiff.tui.palette import Actions
from llamadiff.tui.screens.help import HelpScreen, keys_of
from llamadiff.tui.widgets.compared_text import ComparedText
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import StillApp, playground, screen_text

Done = list[tuple[str, DOMNode | None]]


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as it:
        await until(lambda: isinstance(it.app.focused, PromptEditor))
        yield it


@pytest.fixture
def done(pilot: Pilot[None]) -> Done:
    """Where `record` has actions noted in place of being done."""
    return []


def record(pilot: Pilot[None], done: Done) -> None:
    app = pilot.app

    async def run_action(action: Any, node: DOMNode | None = None, *_: object) -> bool:
        target, name, parameters = app._parse_action(action, node or app)
        possible = bool(target.check_action(name, parameters))
        if possible:
            done.append((action, node))
        return possible

    app.run_action = run_action  # type: ignore[method-assign]


async def press_all(pilot: Pilot[None], done: Done) -> list[Offered]:
    """Press every key that is named on the screen that is shown: each does what is said of it."""
    there = [it for it in offered(pilot.app.screen) if it.now]
    record(pilot, done)
    done.clear()
    await pilot.press(*(it.key for it in there))
    await until(lambda: len(done) >= len(there))
    assert done == [(it.action, it.node) for it in there]
    del pilot.app.run_action
    return there


async def open_screen(pilot: Pilot[None], key: str, name: str) -> Screen[Any]:
    await pilot.press(key)
    await until(lambda: type(pilot.app.screen).__name__ == name and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def test_every_key_does_what_help_says_of_it(pilot: Pilot[None], done: Done) -> None:
    in_the_editor = await press_all(pilot, done)
    await pilot.press("escape")
    await until(lambda: isinstance(pilot.app.focused, ComparedText))
    outside = await press_all(pilot, done)
    # What the editor types over is told there as what comes after leaving it.
    app_keys = {binding.id for binding in APP_KEYS}
    assert (
        app_keys <= {it.id for it in in_the_editor} < {it.id for it in outside} | {"editor.start"}
    )
    for key, name in (("f3", "Library"), ("f4", "Evaluate"), ("f9", "History"), ("f8", "Tune")):
        await open_screen(pilot, key, name)
        there = await press_all(pilot, done)
        assert app_keys <= {it.id for it in there} and len(there) > len(app_keys) + 3
    await pilot.press("f2")
    for key, name in (("a", "PickAdapters"), ("s", "SamplingDialog"), ("o", "DiffOptions")):
        await open_screen(pilot, key, name)
        assert app_keys <= {it.id for it in await press_all(pilot, done)}
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_the_palette_has_all_that_help_has_and_does_it(
    pilot: Pilot[None], done: Done
) -> None:
    for keys in ((), ("escape",), ("f4",)):
        await pilot.press(*keys)
        await pilot.pause()
        screen = pilot.app.screen
        there = [it for it in offered(screen) if it.action != "command_palette"]
        there.sort(key=lambda it: it.group == "pane")
        record(pilot, done)
        done.clear()
        palette = Actions(screen)
        hits = [hit async for hit in palette.discover()]
        assert [str(hit.text) for hit in hits[: len(there)]] == [
            f"{it.name}  {it.keys}" for it in there
        ]
        for hit in hits[: len(there)]:
            await hit.command()
        assert done == [(it.action, it.node) for it in there]
        del pilot.app.run_action
        assert {it.does for it in there} <= {key.does for key in keys_of(screen)}
        assert [str(hit.text) for hit in hits[len(there) :]][:1] == ["guided tour"]


async def test_a_command_is_found_by_typing_and_done(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+p")
    await until(lambda: isinstance(pilot.app.screen, CommandPalette))
    await pilot.press(*"live mode")
    await until(lambda: "run again after each change" in screen_text(pilot))
    await pilot.press("enter")
    await until(lambda: "live on" in screen_text(pilot))


async def test_what_was_said_can_be_read_again(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+p")
    await pilot.press(*"messages")
    await until(lambda: "What was said so far" in screen_text(pilot))
    pilot.app.notify("The engine ended: out of memory.", severity="error", timeout=0.01)
    await until(lambda: not pilot.app._notifications)
    await pilot.press("enter")
    await until(lambda: "The engine ended: out of memory." in screen_text(pilot))
    await pilot.press("escape")
    await until(lambda: pilot.app.screen is playground(pilot))


async def test_help_knows_what_the_focus_is_in(pilot: Pilot[None]) -> None:
    """What has the focus says what it is, on every screen."""
    for key, name in (
        ("f2", ""), ("f3", "Library"), ("f4", "Evaluate"), ("f9", "History"), ("f8", "Tune"),
    ):  # fmt: skip
        await pilot.press(key)
        await until(lambda name=name: name in ("", type(pilot.app.screen).__name__))
        await pilot.pause()
        shown = HelpScreen.about(pilot.app.screen)
        assert len(shown._here) > 20, pilot.app.screen
        assert all(len(it.does) > 2 and it.keys for it in shown._keys)
