"""ctrl+s writes the selected variant's prompt to a file, and never to one that ships."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.prompts.library import SHIPPED
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.screens.both_changed import BothChanged
from llamadiff.tui.screens.save_prompt import SavePrompt
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import StillApp, playground, screen_text, told


async def edit_and_save(pilot: Pilot[None]) -> SavePrompt:
    """Add a word with the cursor in the editor, and press ctrl+s there."""
    await until(lambda: isinstance(pilot.app.focused, PromptEditor))
    await pilot.press(*" Now.")
    await until(lambda: "edited" in screen_text(pilot))
    await pilot.press("ctrl+s")
    await until(lambda: isinstance(pilot.app.focused, Input))
    dialog = pilot.app.screen
    assert isinstance(dialog, SavePrompt)
    return dialog


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


async def test_ctrl_s_saves_from_the_editor_among_ones_own_prompts(tmp_path: Path) -> None:
    path = tmp_path / "prompts" / "tell-me-about.toml"
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        dialog = await edit_and_save(pilot)
        assert dialog.query_one(Input).value == str(path)
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        saved = load_prompt(path)
        state = playground(pilot).playground
        assert saved.user == "Tell me about {{ topic }}. Now."
        assert saved == state.variants[0].prompt == state.variants[2].prompt
        await until(lambda: "edited" not in screen_text(pilot))
        assert told(pilot).count(f"Saved Tell me about as {path}.") == 1
        await pilot.press("x", "ctrl+s")
        await until(lambda: load_prompt(path).user.endswith("x"))
        assert pilot.app.screen is playground(pilot), "one's own file is saved without a question"
        await pilot.press("escape", "W")
        await until(lambda: isinstance(pilot.app.focused, Input))
        field = pilot.app.focused
        assert isinstance(field, Input) and field.value == str(path)
        field.value = "cat-talk"
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        other = load_prompt(path.with_name("cat-talk.toml"))
        assert (other.name, other.user) == ("Cat talk", load_prompt(path).user)


async def test_values_of_variables_that_are_only_used_are_saved(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await edit_and_save(pilot)
        await pilot.press("escape")
        state = playground(pilot).playground
        variant = state.variants[0]
        state.values.set_used(variant.prompt, ("topic", "tone"))
        assert state.give_value("tone", "dry") == ["A", "C"]
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(pilot.app.focused, Input))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        saved = load_prompt(tmp_path / "prompts" / "tell-me-about.toml")
        assert [(v.name, v.default) for v in saved.variables] == [
            ("topic", "dogs"),
            ("tone", "dry"),
        ]


async def test_what_another_program_wrote_meanwhile_is_kept_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "prompts" / "tell-me-about.toml"
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await edit_and_save(pilot)
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        path.write_text(path.read_text() + '\n[output]\nstop = ["END"]\n')
        await pilot.press("x", "ctrl+s")
        await until(lambda: load_prompt(path).user.endswith("x"))
        both = load_prompt(path)
        assert both.output.stop == ("END",) and both.user.endswith("x")
        await until(lambda: playground(pilot).playground.variants[0].prompt == both)
        path.write_text(path.read_text().replace("Now.x", "Later."))
        await pilot.press("y", "ctrl+s")
        await until(lambda: isinstance(pilot.app.screen, BothChanged))
        assert load_prompt(path).user.endswith("Later.")
        await pilot.press("enter")
        await until(lambda: load_prompt(path).user.endswith("Now.xy"))


async def test_a_file_that_is_there_is_asked_about_and_a_foreign_one_is_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prompts" / "tell-me-about.toml"
    path.parent.mkdir()
    path.write_text("[tool]\nkey = 1\n")
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await edit_and_save(pilot)
        await pilot.press("enter")
        await until(lambda: "a file that is no prompt" in words(pilot))
        assert path.read_text() == "[tool]\nkey = 1\n"
        path.write_text('name = "Another"\nuser = "u"\n')
        await pilot.press("enter")
        await until(lambda: "is there already; enter again" in words(pilot))
        await pilot.press("enter")
        await until(lambda: load_prompt(path).user == "Tell me about {{ topic }}. Now.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (str(SHIPPED / "tell-me-about.toml"), "stay as they are"),
        ("/no/such/folder/x.toml", "/no/such/folder"),
        ("~nobody-at-all/x.toml", "~nobody-at-all"),
        ("", "Give the name of a file"),
    ],
)
async def test_what_cannot_be_saved_is_said_in_the_dialog(
    tmp_path: Path, typed: str, said: str
) -> None:
    shipped = (SHIPPED / "tell-me-about.toml").read_bytes()
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        dialog = await edit_and_save(pilot)
        dialog.query_one(Input).value = typed
        await pilot.press("enter")
        problem = dialog.query_one("#dialog-problem")
        await until(lambda: said in str(problem.render()))
        assert pilot.app.screen is dialog
    assert (SHIPPED / "tell-me-about.toml").read_bytes() == shipped
    assert not Path("/no/such").exists()


async def test_a_path_is_completed_with_tab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my prompts").mkdir()
    monkeypatch.chdir(tmp_path)
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        dialog = await edit_and_save(pilot)
        field = dialog.query_one(Input)
        field.value = "./my"
        await until(lambda: "my prompts/" in screen_text(pilot))
        await pilot.press("tab")
        await until(lambda: field.value == "./my prompts/")
        await pilot.press(*"mine", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert load_prompt(tmp_path / "my prompts" / "mine.toml").user.endswith("Now.")
