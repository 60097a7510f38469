"""What could end the app and must not: answers given twice, wrong seeds, hostile names."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from llamadiff.compare.run import State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.catalog import BUNDLED
from llamadiff.prompts.parse import parse_prompt
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.dialog import Dialog
from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.screens.pick_adapters import PickAdapters
from llamadiff.tui.screens.pick_model import PickModel
from llamadiff.tui.screens.tune import Tune

from ..conftest import until
from .app import opened, output, playground, run_over, screen_text, setup, status, told


def one(**changes: object) -> list[Variant]:
    (variant,) = make_variants(Defaults(prompt="tell-me-about"), ["adapter=support"])
    return [replace(variant, **changes)]  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["l", "m", "p", "s", "a"])
async def test_a_dialog_answered_many_times_at_once_closes_once(home: Path, key: str) -> None:
    async with opened(home, one()) as pilot:
        await pilot.press("escape", key)
        await until(lambda: isinstance(pilot.app.screen, Dialog))
        await pilot.press(*["enter"] * 5, "escape", "escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("f2")
        assert len(pilot.app.screen_stack) == 1
        await run_over(pilot, "f5")
        assert output(pilot, "A").state is State.DONE


async def test_a_key_that_arrives_before_a_screen_has_its_widgets_does_nothing(home: Path) -> None:
    """As one does that was pressed just before, while the screen below was busy."""
    async with opened(home) as pilot:
        below = playground(pilot)
        for screen, action in (
            (Tune(below), "leave"),
            (Evaluate(below), "leave"),
            (PickModel(below.session.catalog), "move(1)"),
        ):
            opening = pilot.app.push_screen(screen)
            assert not await pilot.app.run_action(action, screen)
            await opening
            await pilot.press("escape")
            await until(lambda: pilot.app.screen is below)


async def test_f2_while_a_dialog_checks_closes_it(home: Path) -> None:
    async with opened(home, one()) as pilot:
        release = asyncio.Event()

        async def slow(*_: object) -> None:
            await release.wait()

        playground(pilot).session.check = slow  # type: ignore[method-assign]
        await pilot.press("escape", "a")
        await until(lambda: isinstance(pilot.app.screen, PickAdapters))
        pilot.app.screen.query_one(Input).value = "sentiment"
        await pilot.press("enter")
        await until(lambda: "checking" in screen_text(pilot))
        await pilot.press("f2")
        assert pilot.app.screen is playground(pilot)
        release.set()
        await run_over(pilot, "f5")
        assert [a.name for a in output(pilot, "A").variant.adapters] == ["support"]


async def test_an_adapter_typed_again_gets_the_new_scale(home: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(BUNDLED / "support.gguf")
    async with opened(home, one()) as pilot:
        for text, scale in (("support@0.5", 0.5), (f"{link}@0.3", 0.3)):
            await pilot.press("escape", "a")
            await until(lambda: isinstance(pilot.app.screen, PickAdapters))
            dialog = pilot.app.screen
            assert isinstance(dialog, PickAdapters)
            dialog.query_one(Input).value = text
            await pilot.press("enter")
            await until(lambda d=dialog, s=scale: [a.scale for a in d.stack] == [s])
            await pilot.press("enter")
            await until(lambda: pilot.app.screen is playground(pilot))


async def test_a_wrong_seed_in_a_prompt_is_said(home: Path) -> None:
    prompt = parse_prompt('name = "x"\nuser = "hi"\n[sampling]\nseed = -5\n', "x")
    async with LlamadiffApp(setup(home, one(prompt=prompt))).run_test() as pilot:
        await until(lambda: status(pilot) == "ready")
        await pilot.press("f5")
        await until(lambda: "seed must be" in told(pilot))


async def test_markup_and_control_characters_in_a_description_are_only_text(home: Path) -> None:
    text = """
name = "x [/bold]"
user = "{{ topic }}"
[variables.topic]
description = "a [/bold] \\u001b]0;pwned\\u0007 b"
"""
    app = LlamadiffApp(setup(home, one(prompt=parse_prompt(text, "x"))))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: status(pilot) == "ready")
        await pilot.press("ctrl+t")
        await until(lambda: "[/bold]" in screen_text(pilot))
        assert "\x1b" not in screen_text(pilot)


async def test_control_characters_never_enter_a_line_of_input(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a\x1b]0;pwned\x07x.gguf").write_bytes(b"")
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "m")
        await until(lambda: isinstance(pilot.app.screen, Dialog))
        line = pilot.app.screen.query_one(Input)
        line.value = f"{tmp_path}/a"
        await pilot.press("tab")
        await until(lambda: "pwned" in line.value)
        assert "\x1b" not in line.value and "\x07" not in line.value


async def test_a_variants_own_seed_survives_the_sampling_dialog(home: Path) -> None:
    async with opened(home, one(sampling={"seed": 5})) as pilot:
        await pilot.press("escape", "s")
        await until(lambda: isinstance(pilot.app.screen, Dialog))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        await run_over(pilot, "f5")
        assert output(pilot, "A").seed == 5
