"""The outputs beside each other: their order, the focus, what is compared, where they rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.run import Run, State
from llamadiff.tui.widgets.output_pane import OutputPane

from ..conftest import until
from .app import PLAIN, SHOP, StillApp, playground, said, screen_text, told
from .test_layout import settle


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(160, 40)) as it:
        await settle(it)
        yield it


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as it:
        await settle(it)
        yield it


def panes(pilot: Pilot[None]) -> str:
    """Names of the panes from left to right."""
    return "".join(pane.name or "" for pane in playground(pilot).query(OutputPane))


def focused_pane(pilot: Pilot[None]) -> str:
    nodes = pilot.app.focused.ancestors_with_self if pilot.app.focused else []
    return next((node.name or "" for node in nodes if isinstance(node, OutputPane)), "")


def give(pilot: Pilot[None], *texts: str, state: State = State.DONE) -> None:
    """Have A, B … say these."""
    screen = playground(pilot)
    for variant, text in zip(screen.playground.variants, texts, strict=False):
        output = said(variant, text)
        output.state = state
        screen.playground.started(Run((variant,), {}, outputs=[output]), None)
    screen.board.show()


@pytest.mark.parametrize("number", "123")
async def test_a_variant_brought_back_has_its_old_place(pilot: Pilot[None], number: str) -> None:
    await pilot.press("escape", number)
    await until(lambda: focused_pane(pilot) == "ABC"[int(number) - 1])
    await pilot.press("delete")
    await until(lambda: len(panes(pilot)) == 2)
    await pilot.press("u")
    await until(lambda: panes(pilot) == "ABC")


async def test_the_focus_goes_to_a_new_variant_and_back(pilot: Pilot[None]) -> None:
    await pilot.press("escape", "1", "v")
    await until(lambda: playground(pilot).playground.selected == "D")
    await until(lambda: focused_pane(pilot) == "D")
    await pilot.press("delete")
    await until(lambda: focused_pane(pilot) == "C")
    await pilot.press("u")
    await until(lambda: focused_pane(pilot) == "D")


async def test_tab_goes_round_the_outputs_and_the_unified_view(narrow: Pilot[None]) -> None:
    state = playground(narrow).playground

    def shown() -> tuple[str, bool, str, bool]:
        strip = "one text · C" in screen_text(narrow)
        return state.selected, state.view == "unified", focused_pane(narrow), strip

    for key, name, unified in [
        ("tab", "B", False), ("tab", "C", False), ("tab", "C", True), ("tab", "A", False),
        ("shift+tab", "C", True), ("shift+tab", "C", False), ("shift+tab", "B", False),
    ]:  # fmt: skip
        await narrow.press(key)
        wanted = (name, unified, name, unified)
        await until(lambda wanted=wanted: shown() == wanted)


async def test_a_key_held_down_says_it_once(pilot: Pilot[None]) -> None:
    await pilot.press("escape", "1", *["left_square_bracket"] * 5)
    await until(lambda: "A has no adapter" in told(pilot))
    await pilot.pause()
    assert told(pilot).count("A has no adapter") == 1


async def test_what_was_said_is_gone_once_a_run_starts(
    pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = playground(pilot)

    async def nothing(run: Run) -> None:
        run.outputs[0].state = State.DONE

    monkeypatch.setattr(screen.session, "carry_out", nothing)
    screen._trouble("The engine ended.")
    await until(lambda: "The engine ended." in told(pilot))
    await pilot.press("f5")
    await until(lambda: "The engine ended." not in told(pilot))


async def test_copying_says_what_was_done_and_no_more(pilot: Pilot[None]) -> None:
    await pilot.press("escape", "1", "y")
    said_now = f"Sent {len(PLAIN)} characters to the terminal's clipboard (OSC 52)."
    await until(lambda: said_now in told(pilot))
    await pilot.press("v")
    await until(lambda: focused_pane(pilot) == "D")
    await pilot.press("y")
    await until(lambda: "D has not said anything yet." in told(pilot))


async def test_a_labelled_output_still_says_its_adapter(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    state.update(replace(state.variants[2], label="shop"))
    playground(pilot).changed(())
    await until(lambda: "C  shop · support@1" in screen_text(pilot))


async def test_a_variant_that_failed_without_a_text_is_not_compared(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    state.outputs.clear()
    state.before.clear()
    give(pilot, PLAIN, "", SHOP)
    state.outputs["B"].state = State.FAILED
    state.outputs["B"].error = "`{{ it }}` in user is not defined; add it to the prompt's variables"
    playground(pilot).board.flush()
    await until(lambda: "it has no value: give it one under Variables" in flat(pilot))
    stats = [str(pane._stats.render()) for pane in playground(pilot).query(OutputPane)]
    assert stats[1].strip() == "" and "words" in stats[2]


def flat(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).split())


async def test_a_long_output_comes_to_rest_where_it_begins_to_differ(pilot: Pilot[None]) -> None:
    same = "".join(f"Line {n}.\n" for n in range(60))
    texts = (same + "The end.", same + "Another end.\n" + same, same + "The end.")
    pane = playground(pilot).board.pane("B")
    assert pane is not None
    give(pilot, *texts, state=State.STREAMING)
    await until(lambda: "Line 59." in screen_text(pilot) and pane.text.following)
    for output in playground(pilot).playground.outputs.values():
        output.state = State.DONE
    playground(pilot).board.flush()
    await until(lambda: pane.text.scroll_offset.y == 60 - pane.text.size.height // 3)
    whole = playground(pilot).board.pane("A")
    assert whole is not None
    await until(lambda: whole.text.scroll_offset.y == 0)


async def test_an_output_a_person_scrolled_stays_where_it_is(pilot: Pilot[None]) -> None:
    text = "".join(f"Line {n}.\n" for n in range(60))
    give(pilot, text, state=State.STREAMING)
    pane = playground(pilot).board.pane("A")
    assert pane is not None
    await until(lambda: pane.text.scroll_offset.y > 10)
    await pilot.press("escape", "1")
    await until(lambda: focused_pane(pilot) == "A")
    pane.text.scroll_to(y=10, animate=False)
    await until(lambda: not pane.text.following)
    playground(pilot).playground.outputs["A"].state = State.DONE
    playground(pilot).board.flush()
    await pilot.pause()
    assert pane.text.scroll_offset.y == 10
