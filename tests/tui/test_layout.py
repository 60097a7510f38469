"""The same program in every size of terminal, and pictures of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.tui.config.reading import Configured
from llamadiff.tui.config.schema import Config
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import LONG, PLAIN, SHOP, StillApp, playground, screen_text, three_variants
from .still_tune import show_choices, show_training

SIZES = [(120, 40), (80, 24)]


def drawn(pilot: Pilot[None]) -> bool:
    return "done" in screen_text(pilot) and "tok" in screen_text(pilot)


async def settle(pilot: Pilot[None]) -> None:
    await until(lambda: drawn(pilot))
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_playground_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_unified_view_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    async def unified(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await pilot.press("escape", "2", "d", "d")
        await until(lambda: playground(pilot).playground.view == "unified")
        await settle(pilot)

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=unified)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_light_theme_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    async def light(pilot: Pilot[None]) -> None:
        pilot.app.theme = "llamadiff-light"
        await settle(pilot)

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=light)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_without_colour_it_looks_like_this(
    tmp_path: Path,
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_settings_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    async def settings(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await pilot.press("f12", "down")
        await until(lambda: "Leave out most empty lines" in screen_text(pilot))

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=settings)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
def test_help_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], size: tuple[int, int]
) -> None:
    async def help_screen(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await pilot.press("escape", "f1")
        await until(lambda: "Marks" in screen_text(pilot))

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=help_screen)


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
@pytest.mark.parametrize("show", [show_choices, show_training], ids=["choices", "training"])
def test_tune_looks_like_this(
    tmp_path: Path,
    snap_compare: Callable[..., bool],
    size: tuple[int, int],
    show: Callable[[Pilot[None]], Awaitable[None]],
) -> None:
    async def tune(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await show(pilot)
        await until(lambda: "Sentiment" in screen_text(pilot) or "step 40" in screen_text(pilot))
        await until(
            lambda: "Training will" in screen_text(pilot) or "Answers" in screen_text(pilot)
        )
        await pilot.pause()

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=tune)


async def test_at_120_columns_everything_is_there_at_once(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = screen_text(pilot)
        for text in ("Tell me about {{ topic }}.", "Variants", "A  Tell", "B  Inform", "C  Tell"):
            assert text in screen
        for text in (PLAIN, LONG, SHOP):
            assert text[:18] in screen


async def test_a_compact_playground_has_fewer_lines_and_columns_as_high_as_ever(
    tmp_path: Path,
) -> None:
    compact = Configured(replace(Config(), compact=True))
    async with StillApp(tmp_path, configured=compact).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        upper, panes = playground(pilot).query_one("#upper"), playground(pilot).query_one("#panes")
        assert upper.size.height == 11
        await pilot.press("escape", "V", "right_curly_bracket")
        await until(lambda: upper.size.height == 13)
        await pilot.press("0")
        await pilot.resize_terminal(200, 50)
        await until(lambda: panes.size.height > 40 and upper.size.height == panes.size.height)


async def test_at_80_columns_one_output_is_shown_and_tab_goes_on(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert PLAIN[:40] in screen_text(pilot)
        assert "F1 help" in screen_text(pilot)
        await pilot.press("tab")
        await until(lambda: "Moreover" in screen_text(pilot))
        await pilot.press("3")
        await until(lambda: SHOP[:40] in screen_text(pilot))
        await pilot.press("shift+tab", "shift+tab")
        await until(
            lambda: "Moreover" not in screen_text(pilot) and PLAIN[:40] in screen_text(pilot)
        )


async def test_at_80_columns_the_prompt_unfolds_when_it_is_edited(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "Tell me about {{ topic }}." in screen_text(pilot)
        assert "Rendered" not in screen_text(pilot)
        await pilot.press("e")
        await until(lambda: "Rendered" in screen_text(pilot))
        assert isinstance(pilot.app.focused, PromptEditor)
        await pilot.press("escape")
        await until(lambda: "Rendered" not in screen_text(pilot))


async def test_more_variants_than_fit_are_paged(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("escape", "v")
        await until(lambda: "D  Tell" in screen_text(pilot))
        screen = screen_text(pilot)
        assert "◂ 1" in screen and "B  Inform" not in screen
        assert "A  Tell" in screen, "the baseline stays"
        await pilot.press("2")
        await until(lambda: "B  Inform" in screen_text(pilot))
        assert "1 ▸" in screen_text(pilot) and "D  Tell" not in screen_text(pilot)


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (20, 5), (1, 1)], ids=str)
async def test_too_small_a_terminal_says_so_and_recovers(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(*size)
        if size[0] > 50:
            words = f"terminal too small ({size[0]}x{size[1]}; at least 60x16)"
            await until(lambda: words in screen_text(pilot))
            assert "Variants" not in screen_text(pilot)
        await pilot.resize_terminal(120, 40)
        await until(lambda: "Variants" in screen_text(pilot) and drawn(pilot))
        assert "too small" not in screen_text(pilot)


async def test_from_wide_to_narrow_and_back_the_text_stays(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for width in (80, 60, 99, 100, 200, 120):
            await pilot.resize_terminal(width, 30)
            await until(lambda: PLAIN[:20] in screen_text(pilot))


async def test_without_colour_differences_are_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("escape", "d", "d")
        await until(lambda: "{+" in screen_text(pilot))
        assert "[-" in screen_text(pilot)


async def test_names_with_control_characters_are_harmless(tmp_path: Path) -> None:
    from dataclasses import replace

    app = StillApp(tmp_path)
    evil = "\x1b[2Jowned\x07"
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = playground(pilot)
        variant = three_variants()[0]
        prompt = replace(variant.prompt, name=evil, user=f"{evil} {{{{ topic }}}}", system=evil)
        for spoilt in (
            replace(variant, prompt=prompt, model_name=evil),
            replace(variant, name="B", label=evil),
        ):
            screen.playground.update(spoilt)
        screen.playground.values["topic"] = evil
        screen.changed(())
        await until(lambda: "owned" in screen_text(pilot))
        assert not any(c in screen_text(pilot) for c in "\x1b\x07")


def test_the_screen_asks_for_nothing_heavy_before_its_first_frame() -> None:
    import subprocess
    import sys

    heavy = (
        "numpy jinja2 rapidfuzz tomli tomlkit psutil huggingface_hub gguf llama_cpp scipy plotext"
    )
    code = f"""
import sys, llamadiff.tui.app
print(*(name for name in "{heavy}".split() if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
