"""Pictures of what lies over the playground, several of one app that is opened once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.tui.screens.diff_options import DiffOptions
from llamadiff.tui.screens.history import History
from llamadiff.tui.screens.sampling import SamplingDialog

from ..conftest import until
from .app import PLAIN, StillApp, playground, screen_text
from .still_catalog import fix_catalog
from .still_screens import (
    evaluated,
    keep_runs,
    show_evaluate,
    show_evaluation,
    show_lens,
    show_rating,
    show_sweep,
    show_versions,
)
from .still_tune import show_choices, show_training


class Looks:
    """Compares pictures with those that are kept; says only which one differs."""

    def __init__(self, pilot: Pilot[None], snapshot: SnapshotAssertion) -> None:
        self.pilot = pilot
        self._kept = snapshot.use_extension(SVGImageExtension)

    async def settled(self) -> None:
        """Wait until the picture stays as it is."""
        before = None
        while (now := self.pilot.app.screen._compositor.render_strips()) != before:
            before = now
            for _ in range(3):
                await self.pilot.pause()

    async def like(self, name: str) -> None:
        for field in self.pilot.app.screen.query(Input):
            field.cursor_blink = False
        await self.pilot.pause()
        same = self.pilot.app.export_screenshot(title="llamadiff") == self._kept(name=name)
        assert same, f"{name} does not look as it did"


SIZES = {"120x40": (120, 40), "80x24": (80, 24)}


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are told as they are in Greenwich."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize(
    ("colour", "sizes"),
    [(True, ["120x40", "80x24"]), (False, ["120x40"])],
    ids=["colour", "without colour"],
)
async def test_screens_look_like_this(
    tmp_path: Path,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    colour: bool,
    sizes: list[str],
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    kept = evaluated(tmp_path / "suite")
    keep_runs(tmp_path / "state")
    async with StillApp(tmp_path).run_test(size=SIZES[sizes[0]]) as pilot:
        looks, app = Looks(pilot, snapshot), pilot.app

        async def like(name: str, words: str) -> None:
            """As it was in each size, once these words are there."""
            for size in sizes:
                await pilot.resize_terminal(*SIZES[size])
                await until(lambda: words in screen_text(pilot))
                await looks.settled()
                await looks.like(f"{name}-{size}")
            await pilot.resize_terminal(*SIZES[sizes[0]])

        await until(lambda: "done" in screen_text(pilot))
        await show_evaluate(pilot)
        await like("evaluate", "answers in all")
        app.pop_screen()
        await show_evaluation(pilot, kept)
        await like("scoreboard", "VERDICT")
        await pilot.press("tab")
        await like("decision", "Fine-tuning")
        await pilot.press("tab")
        await like("rows", "My coat")
        await pilot.press("down", "enter")
        await like("row", "score 0")
        app.pop_screen()
        app.pop_screen()
        await show_lens(pilot)
        await like("lens", "token 1 of")
        app.pop_screen()
        await show_sweep(pilot)
        await like("sweep", "scale →")
        app.pop_screen()
        history = await show_rating(pilot, kept, tmp_path / "rated")
        await like("rating", "anna")
        app.pop_screen()
        history.close()
        await pilot.press("f9")
        await like("runs", "Tell dogs")
        await pilot.press("space", "down", "d")
        await like("compare", "parts at")
        await pilot.press("d")
        await like("compare-beside", "one text")
        await pilot.press("f2")
        history = await show_versions(pilot, tmp_path / "versions")
        await like("versions", "a few words")
        app.pop_screen()
        history.close()
        if colour:
            return
        # Their pictures with colours are among those of test_layout and of the libraries.
        await show_choices(pilot)
        await like("choices", "Training will")
        app.pop_screen()
        await show_training(pilot)
        await like("training", "Answers")
        app.pop_screen()
        await pilot.press("escape", "f12", "down")
        await like("settings", "Leave out most empty lines")
        await pilot.press("escape", "f1")
        await like("help", "Marks")
        fix_catalog(monkeypatch)
        await pilot.press("escape", "f3", "down")
        await like("models", "Llama-3.2-1B")
        await pilot.press("tab", "down")
        await like("adapters", "DoRA")
        await pilot.press("tab", "down")
        await like("prompts", "variables")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_what_lies_over_the_playground_looks_like_this(
    tmp_path: Path, snapshot: SnapshotAssertion, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        looks = Looks(pilot, snapshot)
        await until(lambda: "done" in screen_text(pilot) and "tok" in screen_text(pilot))
        await pilot.press("escape", "2", "f7")
        await until(
            lambda: "Moreover" in screen_text(pilot) and "llamadiff" not in screen_text(pilot)
        )
        await looks.like("one-output")
        await pilot.press("V")
        await until(lambda: "C Tell me about" in screen_text(pilot))
        await looks.like("variants")
        await pilot.press("escape", "1", "ctrl+p")
        await until(lambda: isinstance(pilot.app.screen, CommandPalette))
        await until(lambda: "Run every variant" in screen_text(pilot))
        await looks.like("palette")
        await pilot.press("escape", "s")
        await until(
            lambda: isinstance(pilot.app.screen, SamplingDialog) and "top_k" in screen_text(pilot)
        )
        await looks.like("sampling")
        await pilot.press("escape", "o")
        await until(
            lambda: isinstance(pilot.app.screen, DiffOptions) and "lines" in screen_text(pilot)
        )
        await looks.like("diff-options")
        await pilot.press("escape", "r")
        await until(lambda: "reply to" in screen_text(pilot))
        await looks.like("reply")
        await pilot.press("escape", "f9")
        await until(lambda: isinstance(pilot.app.screen, History) and "words" in screen_text(pilot))
        await looks.like("history")


async def test_columns_look_like_this(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    async with StillApp(tmp_path).run_test(size=(200, 60)) as pilot:
        await until(lambda: PLAIN[:18] in screen_text(pilot) and "tok" in screen_text(pilot))
        await Looks(pilot, snapshot).like("columns")
        assert playground(pilot).has_class("-columns")
