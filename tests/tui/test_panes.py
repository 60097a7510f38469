"""One pane alone on the screen, and the room that a person gives each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from llamadiff.tui.offered import offered
from llamadiff.tui.screens.library import Library
from llamadiff.tui.widgets.output_board import OutputBoard
from llamadiff.tui.widgets.output_pane import OutputPane
from llamadiff.tui.widgets.prompt_editor import PromptEditor
from llamadiff.tui.widgets.prompt_panel import PromptPanel
from llamadiff.tui.widgets.variant_list import VariantList

from ..conftest import until
from .app import LONG, PLAIN, SHOP, StillApp, playground, screen_text


def widths(pilot: Pilot[None]) -> list[int]:
    board = playground(pilot).query_one(OutputBoard)
    return [pane.size.width for name in "ABC" if (pane := board.pane(name))]


async def drawn(pilot: Pilot[None]) -> None:
    await until(lambda: "done" in screen_text(pilot) and "tok" in screen_text(pilot))
    await pilot.pause()


async def test_what_is_typed_lays_nothing_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That would take a letter several times as long."""
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        await pilot.press("e", "x")
        await until(lambda: "changed since this run" in screen_text(pilot))
        laid_out: list[OutputPane] = []
        refresh = OutputPane.refresh

        def refreshed(self: OutputPane, *regions: Region, **options: Any) -> Widget:
            if options.get("layout"):
                laid_out.append(self)
            return refresh(self, *regions, **options)

        monkeypatch.setattr(OutputPane, "refresh", refreshed)
        shown: list[object] = []
        monkeypatch.setattr(OutputPane, "show", lambda self, state: shown.append(state))
        await pilot.press("y")
        await until(lambda: shown)
        assert not laid_out


@pytest.mark.parametrize("size", [(120, 40), (60, 20)], ids=["120x40", "60x20"])
async def test_a_pane_has_the_screen_for_itself_until_esc_or_f7(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        await drawn(pilot)
        screen = playground(pilot)
        await pilot.press("escape", "e", "f7")
        await until(
            lambda: PLAIN[:18] not in screen_text(pilot) and "Rendered" in screen_text(pilot)
        )
        assert screen.query_one(PromptPanel).size.height >= size[1] - 3
        await until(lambda: "esc all panes" in screen_text(pilot))
        await pilot.press("x", "escape")
        await until(lambda: PLAIN[:18] in screen_text(pilot))
        assert isinstance(pilot.app.focused, PromptEditor), "the cursor stays"
        assert screen.query_one(PromptEditor).text.endswith("x")
        await pilot.press("escape", "1", "f7")
        await until(lambda: "llamadiff" not in screen_text(pilot))
        assert PLAIN[:40] in screen_text(pilot) and LONG[-18:] not in screen_text(pilot)
        await pilot.press("tab")
        await until(lambda: "Moreover" in screen_text(pilot))
        await pilot.press("3")
        await until(lambda: SHOP[:40] in screen_text(pilot))
        await pilot.press("e")
        await until(lambda: "Rendered" in screen_text(pilot) and "Thank" not in screen_text(pilot))
        await pilot.press("f7")
        await until(lambda: SHOP[:18] in screen_text(pilot) and "llamadiff" in screen_text(pilot))


def resizing(pilot: Pilot[None]) -> set[str]:
    """What can be done about the room of panes, as it is offered."""
    ids = {it.id.removeprefix("pane.") for it in offered(pilot.app.screen) if it.group == "pane"}
    return ids & {"widen", "narrow", "higher", "lower", "even"}


async def test_the_list_of_variants_can_be_had_on_a_narrow_screen(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(60, 20)) as pilot:
        await drawn(pilot)
        await pilot.press("escape", "V")
        await until(
            lambda: "C Tell me about" in screen_text(pilot) and "support" in screen_text(pilot)
        )
        assert isinstance(pilot.app.focused, VariantList)
        assert resizing(pilot) == set()
        await pilot.press("down", "down", "escape")
        await until(lambda: SHOP[:40] in screen_text(pilot))
        assert playground(pilot).playground.selected == "C"


async def test_panes_are_made_wider_and_higher_and_even_again(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        screen, before = playground(pilot), widths(pilot)
        prompt = screen.query_one(PromptPanel).size
        await pilot.press("escape", "2", "plus", "plus", "minus", "plus")
        await until(lambda: widths(pilot)[1] > before[1] + 5)
        assert max(widths(pilot)[0], widths(pilot)[2]) < before[0]
        await pilot.press("right_curly_bracket")
        await until(lambda: screen.query_one(PromptPanel).size.height == prompt.height - 2)
        await pilot.press("V", "plus")
        await until(lambda: screen.query_one(PromptPanel).size.width < prompt.width)
        await pilot.press(*["left_curly_bracket"] * 9)
        await until(lambda: screen.query_one(PromptPanel).size.height == 6)
        await pilot.press("right_curly_bracket")
        await until(lambda: screen.query_one(PromptPanel).size.height == 7)
        assert resizing(pilot) == {"widen", "narrow", "higher", "lower", "even"}
        await pilot.press("0")
        await until(lambda: widths(pilot) == before)
        await until(lambda: screen.query_one(PromptPanel).size == prompt)
        await pilot.press("f7")
        assert resizing(pilot) == set()


async def test_from_180_columns_on_the_prompt_stands_beside_the_outputs(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(200, 60)) as pilot:
        await drawn(pilot)
        panel, board = playground(pilot).query_one(PromptPanel), playground(pilot).board
        assert board.region.y == panel.region.y and board.region.x > panel.region.right
        await pilot.press("escape", "V", "left_curly_bracket")
        await until(lambda: board.size.width > 0.66 * 200)


async def test_a_page_has_one_of_its_panes_alone_and_shares_of_both(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("f3")
        await until(lambda: isinstance(pilot.app.screen, Library) and "ready" in screen_text(pilot))
        library = pilot.app.screen
        await until(lambda: "architecture" in screen_text(pilot))
        before = library.query_one("#library-details").size.height
        await pilot.press("shift+tab", "plus")
        await until(lambda: library.query_one("#library-details").size.height > before)
        await pilot.press("f7")
        await until(lambda: "type to filter" not in screen_text(pilot))
        assert library.query_one("#library-details").size.height == 23
        assert resizing(pilot) == set()
        await pilot.press("escape")
        await until(lambda: "type to filter" in screen_text(pilot))
        assert pilot.app.screen is library
        await pilot.resize_terminal(50, 20)
        await until(lambda: "terminal too small (50x20; at least 60x16)" in screen_text(pilot))
        assert "architecture" not in screen_text(pilot)
        await pilot.resize_terminal(60, 20)
        await until(lambda: "architecture" in screen_text(pilot))
