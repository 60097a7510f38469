"""Going through differences in the app: n and N, folding, options, panes that scroll together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.run import State
from llamadiff.tui.screens.diff_options import DiffOptions
from llamadiff.tui.widgets.output_pane import OutputPane

from ..conftest import until
from .app import StillApp, playground, screen_text, told
from .test_layout import settle
from .test_outputs import give

SENTENCES = [f"Sentence {n} says that number {n * 37 % 101} follows it. " for n in range(60)]
BASE = "".join(SENTENCES)
NEW = "Something wholly new stands here, long enough to shift the rest. " * 4
OTHER = "".join([*SENTENCES[:5], NEW, *SENTENCES[5:30], "Changed. ", *SENTENCES[31:]])
THIRD = BASE.replace("number 3 ", "figure 3 ")


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path, (BASE, OTHER, THIRD)).run_test(size=(160, 40)) as it:
        await settle(it)
        await it.press("escape", "2")
        await until(lambda: pane(it, "B").text.has_focus)
        yield it


def pane(pilot: Pilot[None], name: str) -> OutputPane:
    it = playground(pilot).board.pane(name)
    assert it is not None
    return it


def title(pilot: Pilot[None], name: str = "B") -> str:
    return pane(pilot, name)._title.parts[1].plain


def stats(pilot: Pilot[None], name: str = "B") -> str:
    return pane(pilot, name)._stats.ways[0].plain


def reversed_text(pilot: Pilot[None], name: str = "B") -> str:
    text = pane(pilot, name).text
    strips = [text.render_line(y) for y in range(text.size.height)]
    return "".join(s.text for strip in strips for s in strip if s.style and s.style.reverse)


async def test_n_goes_from_difference_to_difference_and_round(pilot: Pilot[None]) -> None:
    await pilot.press("n")
    await until(lambda: title(pilot) == "1 of 2")
    assert reversed_text(pilot).startswith("Something wholly")
    await pilot.press("n")
    await until(lambda: title(pilot) == "2 of 2" and "Changed" in reversed_text(pilot))
    row = next(line for line in screen_text(pilot).splitlines() if "Changed" in line)
    assert "◂" in row
    await pilot.press("n")
    await until(lambda: title(pilot) == "1 of 2")
    await pilot.press("N")
    await until(lambda: title(pilot) == "2 of 2")


async def test_the_first_step_starts_where_one_reads(pilot: Pilot[None]) -> None:
    pane(pilot, "B").text.scroll_to(y=20, animate=False)
    await pilot.press("n")
    await until(lambda: title(pilot) == "2 of 2")


async def test_n_works_in_the_unified_view(pilot: Pilot[None]) -> None:
    await pilot.press("d", "d", "n", "n")
    await until(lambda: title(pilot) == "2 of 2")
    assert reversed_text(pilot).startswith(SENTENCES[30][:11])


async def test_a_place_stays_in_view_through_all_views(pilot: Pilot[None]) -> None:
    await pilot.press("n", "n")
    await until(lambda: title(pilot) == "2 of 2")
    for keys in ("d", "d", "z", "z", "d d"):
        await pilot.press(*keys.split())
        await until(lambda: title(pilot) == "2 of 2" and "Changed" in screen_text(pilot))


async def test_a_place_is_kept_from_view_to_view_and_left_by_a_new_run(pilot: Pilot[None]) -> None:
    await pilot.press("n", "n", "z")
    await until(lambda: title(pilot) == "2 of 2" and "equal words" in screen_text(pilot))
    assert "Changed" in reversed_text(pilot)
    give(pilot, BASE, OTHER, THIRD)
    await until(lambda: title(pilot) == "")


async def test_n_at_the_baseline_goes_through_the_only_other_output(pilot: Pilot[None]) -> None:
    await pilot.press("3", "delete", "1", "n")
    await until(lambda: title(pilot) == "1 of 2")
    assert playground(pilot).playground.selected == "A"


async def test_without_a_difference_n_says_so(pilot: Pilot[None]) -> None:
    await pilot.press("1", "n")
    await until(lambda: "A is the baseline; 2 or 3 goes to another output" in told(pilot))
    give(pilot, BASE, BASE, THIRD)
    await pilot.press("2", "n")
    await until(lambda: "B has no difference" in told(pilot))


async def test_n_stops_following_a_text_that_grows(pilot: Pilot[None]) -> None:
    give(pilot, *("New: " + text for text in (BASE, OTHER, THIRD)), state=State.STREAMING)
    await until(lambda: pane(pilot, "B").text.following)
    await pilot.press("N", "N")
    await until(lambda: title(pilot) == "1 of 2" and not pane(pilot, "B").text.following)


async def test_z_folds_what_is_equal_and_unfolds_it(pilot: Pilot[None]) -> None:
    whole = pane(pilot, "B").text.text
    await pilot.press("z")
    await until(lambda: "equal words" in pane(pilot, "B").text.text)
    text = pane(pilot, "B").text.text
    assert len(text) < len(whole) and "Changed" in text and "⋯" in text
    await pilot.press("z")
    await until(lambda: pane(pilot, "B").text.text == whole)


async def choose(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("o")
    await until(lambda: isinstance(pilot.app.screen, DiffOptions))
    await pilot.press(*keys, "escape")
    await until(lambda: pilot.app.screen is playground(pilot))


async def test_each_unit_is_chosen_and_d_goes_on_from_it(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    await choose(pilot, "down", "down", "down", "space")
    assert state.view == state.diffing.unit == "lines"
    await until(lambda: "diff: lines" in screen_text(pilot))
    await choose(pilot, "down", "enter")
    assert state.view == "characters"
    seen: list[str] = []
    for _ in range(4):
        await pilot.press("d")
        seen.append(state.view)
    assert seen == ["tokens", "unified", "off", "characters"]


async def test_the_figures_are_of_the_unit_that_is_shown(pilot: Pilot[None]) -> None:
    give(pilot, "One.\nTwo dogs.\n", "One.\nTwo cats.\nThree.\n", "x")
    await until(lambda: stats(pilot).startswith("+2 −1 words"))
    await choose(pilot, "down", "down", "down", "space")
    await until(lambda: stats(pilot).startswith("+2 −1 lines"))
    await pilot.press("d")
    await until(lambda: " tokens · " in stats(pilot))


async def test_case_and_white_space_are_ignored_on_demand(pilot: Pilot[None]) -> None:
    give(pilot, "The dog  barks.", "the DOG barks.\n", "The dog runs.")
    await until(lambda: stats(pilot).startswith("+2 −2 words"))
    await choose(pilot, *["down"] * 5, "space", "down", "space")
    await until(lambda: stats(pilot) == "same as A but for case and white space")
    assert stats(pilot, "C") == "+1 −1 words · 67 % same · parts at token 4"


async def test_moved_words_are_said_and_shown(pilot: Pilot[None]) -> None:
    fox = "The quick brown fox jumps over the lazy dog. "
    rest = "Dogs are loyal companions that live with people and herd sheep. "
    give(pilot, fox + rest + "Yes.", rest + fox + "Yes.", "")
    await until(lambda: "+0 −0 words · ~9 moved · " in stats(pilot))
    text = pane(pilot, "B").text
    styles = {s.text.strip(): s.style for y in range(9) for s in text.render_line(y) if s.style}
    moved = next(style for words, style in styles.items() if words.startswith("The quick"))
    assert moved.italic and moved.underline


async def test_panes_scroll_together_by_what_they_say(pilot: Pilot[None]) -> None:
    await choose(pilot, "up", "space")
    await pilot.press("n", "n")
    await until(lambda: title(pilot) == "2 of 2")
    rows = [line for line in screen_text(pilot).splitlines() if "Changed" in line]
    assert len(rows) == 1 and rows[0].count("Sentence 30") + rows[0].count("30 says") >= 1
    at = {name: BASE.index("Sentence 30") for name in "AC"}
    for name, offset in at.items():
        assert pane(pilot, name).text.row_of(offset) == pane(pilot, "B").text.row_of(
            OTHER.index("Changed")
        )
    await pilot.press("pagedown")
    top = pane(pilot, "B").text

    def together() -> bool:
        place = OTHER.find("Sentence 5", top.top + 1)
        base = BASE.find(OTHER[place : place + 11])
        rows = top.row_of(place), pane(pilot, "A").text.row_of(base)
        return pane(pilot, "A").text.scroll_offset.y > 25 and abs(rows[0] - rows[1]) <= 1

    await until(together)


async def test_a_pane_alone_scrolls_alone(pilot: Pilot[None]) -> None:
    await pilot.press("n", "n")
    await until(lambda: title(pilot) == "2 of 2")
    assert pane(pilot, "A").text.scroll_offset.y == 0
