"""Small widgets on their own: tabs of wide characters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from llamadiff.tui.theme import DARK
from llamadiff.tui.widgets.tab_strip import TabStrip


class Page(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield TabStrip()


@asynccontextmanager
async def page() -> AsyncIterator[Pilot[None]]:
    async with Page().run_test(size=(60, 20)) as pilot:
        yield pilot


async def test_a_click_finds_the_tab_after_one_of_wide_characters() -> None:
    async with page() as pilot:
        strip = pilot.app.query_one(TabStrip)
        strip.tabs = [("a", "漢字漢字"), ("b", "two")]
        await pilot.pause()
        assert strip.size.width == 8 + 2 + 3 + 2
        await pilot.click(TabStrip, offset=(7, 0))
        assert strip.chosen == "a"
        await pilot.click(TabStrip, offset=(11, 0))
        assert strip.chosen == "b"
