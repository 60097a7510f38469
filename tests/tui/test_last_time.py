"""The app is at the next start as it was left."""

from __future__ import annotations

from pathlib import Path

from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import opened, output, playground, run_over, told


async def test_all_of_it_is_there_again(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        await pilot.press(*"Hi", "ctrl+home", "right", "escape")
        await pilot.press("3", "left_square_bracket", "b", "d", "plus", "plus")
        await pilot.press("left_curly_bracket", "v", "V")
        state, said = playground(pilot).playground, output(pilot, "C").text
        left = list(state.variants)
        assert [it.name for it in left] == ["A", "B", "C", "D"]
        board = playground(pilot).board
        board.pane("B").text.scroll_to(y=3, animate=False)  # type: ignore[union-attr]
        await pilot.pause()
        top = board.pane("B").text.top  # type: ignore[union-attr]
        assert top > 0
        state.live = True
        pilot.app.exit()
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await until(lambda: bool(state.outputs))
        assert state.variants == left
        assert (state.selected, state.baseline, state.view, state.live) == (
            "D",
            "C",
            "tokens",
            True,
        )
        assert output(pilot, "C").text == said
        assert state.stale("A") and state.stale("C") and not state.stale("B")
        assert pilot.app.splits.outputs == {"C": 6} and pilot.app.splits.higher == 1  # type: ignore[attr-defined]
        assert playground(pilot)._focused_part() == "variants"
        await until(lambda: playground(pilot).board.pane("B").text.top == top)  # type: ignore[union-attr]
        assert "never saved" not in told(pilot)
        await pilot.press("u")
        assert state.variants == left, "nothing to take back"
        await pilot.press("1", "e")
        assert playground(pilot).query_one(PromptEditor).text.endswith("Hi")
