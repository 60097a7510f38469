"""The app is at the next start as it was left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Beginning
from llamadiff.tui.config.reading import Configured
from llamadiff.tui.diffing import Diffing
from llamadiff.tui.last_time import NAME, VERSION, LastTime, read, variant_out, variants_in, write
from llamadiff.tui.screens.library import Library
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.splits import Splits
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import PatientApp, opened, output, playground, run_over, setup, status, told

TWO = ["adapter=none", "adapter=support"]


def left(*variants: object) -> LastTime:
    kept = [variant_out(it) for it in variants]  # type: ignore[arg-type]
    splits = Splits(2, 55, {"B": 6}, {"Library": 40})
    return LastTime(
        VERSION, kept, "A", "A", {"topic": "cats"}, None, False, 2, True, "tokens", Diffing("lines"),
        "library", "user", (0, 3), "prompt", "", {"A": 40}, splits,
    )  # fmt: skip


def test_what_is_written_is_read(home: Path, mine: Path) -> None:
    specs = [
        f"prompt={mine},temperature=0.3",
        "label=tuned,prompt=tell-me-about,adapter=support@0.8",
    ]
    first, second = make_variants(Defaults(), specs)
    own = replace(first, name="C", prompt=replace(first.prompt, path=None, user="Hi \udc80"))
    branch = replace(
        second, name="D", values={"topic": "a"}, beginning=Beginning((1, 2), "Oh", "r")
    )
    it = left(first, second, own, branch)
    write(home, it)
    assert read(home) == it
    variants, gone = variants_in(it.variants)
    assert variants == [first, second, own, branch] and not gone
    assert [v.prompt.path for v in variants] == [mine, second.prompt.path, None, second.prompt.path]
    assert [*home.iterdir()] == [home / NAME], "nothing is left beside it"


def test_files_that_are_gone_are_said_and_words_stay(home: Path, mine: Path) -> None:
    (variant,) = make_variants(Defaults(prompt=str(mine)), ["adapter=support"])
    shipped = variant_out(variant)
    mine.unlink()
    there, missing = Path("/models/gone.gguf"), Path("/adapters/gone.gguf")
    own = replace(variant, model=there, adapters=(replace(variant.adapters[0], path=missing),))
    (found,), gone = variants_in([variant_out(own)])
    assert (found.prompt, found.prompt.path) == (variant.prompt, None)
    assert [said.partition(" is gone")[0] for said in gone] == [
        str(it) for it in (there, missing, mine)
    ]
    other = replace(shipped, model="llamadiff:models/bundled/before.gguf", model_name="before")
    (found,), gone = variants_in([other])
    assert found.model == variant.model and found.model_name == variant.model_name
    assert len(gone) == 1, "the bundled model goes by another name now"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2}', '{"version": 1, "variants": 3}', "\xff" * 9, "[" * 100_000],
)
def test_a_state_that_is_broken_or_of_another_version_is_not_read(
    home: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (home / NAME).write_text(text, encoding="utf-8")
    assert read(home) is None
    assert NAME in caplog.text
    assert read(home / "nowhere") is None


async def test_closed_before_its_outputs_are_there_it_is_left_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was read of the history yet; the run, the places in it and live mode are not lost."""

    async def never(self: Playground) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Playground, "bring_outputs", never)
    opening = setup(home)
    it = left(*make_variants(Defaults(prompt="tell-me-about"), TWO))
    it = replace(it, live=True, run="abc", place="")
    write(home / "state", it)
    async with PatientApp(opening).run_test(size=(120, 40)) as pilot:
        state, editor = playground(pilot).playground, playground(pilot).query_one(PromptEditor)
        await until(lambda: state.names == ["A", "B"] and editor.cursor_location == (0, 3))
        assert not state.live and not state.outputs
        pilot.app.exit()
    assert read(home / "state") == it


@pytest.mark.parametrize("set_by", ["", "config.toml"])
async def test_settings_of_the_start_go_before_how_it_was_left(
    home: Path, monkeypatch: pytest.MonkeyPatch, set_by: str
) -> None:
    async def drafts(self: Playground, texts: object) -> None:
        self.changed(self.playground.names)

    monkeypatch.setattr(Playground, "begin_drafts", drafts)
    opening = setup(home)
    if set_by:
        config = replace(Configured().config, diff="unified", live=False)
        sources = {"diff": set_by, "live": set_by}
        opening = replace(opening, configured=Configured(config, sources))
    it = left(*make_variants(Defaults(prompt="tell-me-about"), TWO))
    write(home / "state", replace(it, live=True, place=""))
    async with PatientApp(opening).run_test(size=(120, 40)) as pilot:
        state = playground(pilot).playground
        await until(lambda: status(pilot) == "ready")
        assert not playground(pilot)._pending and not state.outputs, "nothing is run by itself"
        assert (state.view, state.live) == (("unified", False) if set_by else ("tokens", True))


async def test_all_of_it_is_there_again(home: Path) -> None:
    async with opened(home, size=(120, 28)) as pilot:
        await run_over(pilot, "f5")
        await pilot.press(*"Hi", "ctrl+home", "right", "escape")
        await pilot.press("3", "left_square_bracket", "b", "d", "plus", "plus")
        await pilot.press("left_curly_bracket", "v")
        state, said = playground(pilot).playground, output(pilot, "C").text
        left, board = list(state.variants), playground(pilot).board
        assert [it.name for it in left] == ["A", "B", "C", "D"]
        state.live = True
        board.pane("B").text.scroll_to(y=3, animate=False)  # type: ignore[union-attr]
        await until(lambda: board.pane("B").text.top > 0)  # type: ignore[union-attr]
        top = board.pane("B").text.top  # type: ignore[union-attr]
        pilot.app.exit()
    async with opened(home, size=(120, 28)) as pilot:
        state, board = playground(pilot).playground, playground(pilot).board
        await until(lambda: bool(state.outputs))
        assert state.variants == left
        assert (state.selected, state.baseline, state.view) == ("D", "C", "tokens")
        assert state.live
        assert output(pilot, "C").text == said
        assert state.stale("A") and state.stale("C") and not state.stale("B")
        assert pilot.app.splits.outputs == {"C": 6} and pilot.app.splits.higher == 1  # type: ignore[attr-defined]
        await until(lambda: board.has_focus_within)
        await until(lambda: board.pane("B").text.top == top)  # type: ignore[union-attr]
        assert "never saved" not in told(pilot)
        await pilot.press("u")
        assert state.variants == left, "there is nothing to take back"
        await pilot.press("1", "e")
        editor = playground(pilot).query_one(PromptEditor)
        await until(lambda: "Hi" in editor.text and not playground(pilot).session.running)
        await pilot.press("escape")
        await until(lambda: not editor.has_focus)
        await pilot.press("ctrl+p", *"afresh", "enter")
        await until(lambda: state.names == ["A", "B", "C"] and not state.outputs)
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("u")
        await until(lambda: state.names == ["A", "B", "C", "D"] and bool(state.outputs))
        await pilot.press("f3")
        await until(lambda: isinstance(pilot.app.screen, Library))
        pilot.app.exit()
    assert read(home / "state").place == "library"  # type: ignore[union-attr]
    variants = make_variants(Defaults(), ["prompt=one-sentence"])
    async with opened(home, variants) as pilot:
        assert playground(pilot).playground.variants == variants, "what is given goes before"
        assert pilot.app.screen is playground(pilot)
        assert playground(pilot).playground.view == "tokens"
