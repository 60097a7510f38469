"""Every global key does its work with the cursor in the editor, where letters are text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot

from llamadiff.tui.key_names import key_name
from llamadiff.tui.keys import APP_KEYS, PLAYGROUND_KEYS
from llamadiff.tui.screens import help as help_module
from llamadiff.tui.screens.help import HelpScreen
from llamadiff.tui.widgets.prompt_editor import PromptEditor
from llamadiff.tui.widgets.prompt_panel import PromptPanel
from llamadiff.tui.widgets.variant_list import VariantList

from ..conftest import until
from .app import StillApp, playground, screen_text


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as it:
        await until(lambda: isinstance(it.app.focused, PromptEditor))
        yield it


async def test_f1_opens_and_closes_help(pilot: Pilot[None]) -> None:
    await pilot.press("f1")
    await until(lambda: isinstance(pilot.app.screen, HelpScreen))
    assert "Run every variant" in screen_text(pilot)
    await pilot.press("f1")
    await until(lambda: not isinstance(pilot.app.screen, HelpScreen))


async def test_f2_goes_back_to_the_playground(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+p")
    await until(lambda: isinstance(pilot.app.screen, CommandPalette))
    await pilot.press("f2")
    await until(lambda: pilot.app.screen is playground(pilot))


@pytest.mark.parametrize("key", ["f5", "ctrl+r"])
async def test_run(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    started: list[object] = []
    monkeypatch.setattr(playground(pilot), "start", lambda names=None: started.append(names))
    await pilot.press(key)
    await until(lambda: started == [None])


async def test_escape_leaves_the_editor(pilot: Pilot[None]) -> None:
    await pilot.press("escape")
    await until(lambda: not playground(pilot).query_one(PromptPanel).has_focus_within)
    await pilot.press("e")
    await until(lambda: isinstance(pilot.app.focused, PromptEditor))


async def test_ctrl_l_switches_live_mode(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+l")
    await until(lambda: "live on" in screen_text(pilot))
    await pilot.press("ctrl+l")
    await until(lambda: "live off" in screen_text(pilot))


async def test_ctrl_o_opens_the_editor(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def edit(text: str) -> str:
        texts.append(text)
        return text.replace("Tell me about {{ topic }}.", "Say {{ topic }}.")

    monkeypatch.setattr(playground(pilot), "_in_editor", edit)
    await pilot.press("ctrl+o")
    await until(lambda: "Say {{ topic }}." in screen_text(pilot))
    assert 'name = "Tell me about"' in texts[0]


async def test_ctrl_p_opens_the_palette_with_all_actions(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+p")
    await until(lambda: "Run every variant" in screen_text(pilot))
    await pilot.press(*"adapters")
    await until(lambda: "Put LoRA adapters on it" in screen_text(pilot))


async def test_ctrl_t_goes_through_the_tabs(pilot: Pilot[None]) -> None:
    panel = playground(pilot).query_one(PromptPanel)
    seen: list[str] = []
    for _ in range(4):
        await pilot.press("ctrl+t")
        await pilot.pause()
        seen.append(panel.tab)
        assert panel.has_focus_within
    assert seen == ["variables", "rendered", "system", "user"]


async def test_ctrl_q_quits(pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+q")
    await until(lambda: pilot.app._exit)


async def test_letters_are_text_in_the_editor_and_commands_outside(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    await pilot.press(*"vdb[")
    editor = playground(pilot).query_one(PromptEditor)
    assert editor.text.endswith("vdb[")
    assert len(state.variants) == 3 and state.view == "words"
    await pilot.press("escape", "d")
    await until(lambda: state.view == "tokens")


async def test_the_list_is_walked_and_scaled_with_arrows(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    playground(pilot).query_one(VariantList).focus()
    await pilot.press("down", "down", "right", "right", "left")
    assert state.selected == "C"
    assert state.variants[2].stack == "support@1.1"
    await pilot.press("u", "u", "u")
    assert state.variants[2].stack == "support@1"


def test_every_binding_has_an_id_of_its_own_and_a_tooltip() -> None:
    bindings: list[Binding] = [*APP_KEYS, *PLAYGROUND_KEYS]
    assert all(binding.id and binding.tooltip for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(bindings)
    groups = {(binding.id or "").partition(".")[0] for binding in bindings}
    assert groups <= help_module._GROUPS.keys()


def test_no_key_needs_what_some_terminal_lacks() -> None:
    lacking = {"ctrl+enter", "shift+enter", "ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h"}
    keys = {k for b in [*APP_KEYS, *PLAYGROUND_KEYS] for k in b.key.split(",")}
    assert not keys & lacking
    assert not {key for key in keys if key.startswith("ctrl+shift")}


def test_key_names() -> None:
    assert [key_name(k) for k in ("ctrl+p", "f5", "escape", "question_mark", "slash", "v")] == [
        "^p", "F5", "esc", "?", "/", "v",
    ]  # fmt: skip
    assert key_name("f") == "f"
