"""Pictures of what lies over the playground, several of one app that is opened once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.command import CommandPalette
from textual.pilot import Pilot

from llamadiff.tui.screens.diff_options import DiffOptions
from llamadiff.tui.screens.history import History
from llamadiff.tui.screens.sampling import SamplingDialog

from ..conftest import until
from .app import PLAIN, StillApp, playground, screen_text


class Looks:
    """Compares pictures with those that are kept; says only which one differs."""

    def __init__(self, pilot: Pilot[None], snapshot: SnapshotAssertion) -> None:
        self.pilot = pilot
        self._kept = snapshot.use_extension(SVGImageExtension)

    async def like(self, name: str) -> None:
        await self.pilot.pause()
        same = self.pilot.app.export_screenshot(title="llamadiff") == self._kept(name=name)
        assert same, f"{name} does not look as it did"


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
