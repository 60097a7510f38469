"""A conversation through the diff view: every turn compared, gone through, folded, scrolled with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.diff.ignore import Ignore
from llamadiff.compare.run import Output, Run
from llamadiff.tui.diffing import Diffing, View
from llamadiff.tui.reopening import Reopened
from llamadiff.tui.thread import YOU, Look, Thread
from llamadiff.tui.widgets.output_pane import OutputPane

from ..conftest import until
from .app import StillApp, playground, said, three_variants
from .test_differences import pane, reversed_text, stats, title
from .test_layout import settle

REPLIES = ("", "And\ncats?", "Why so?")
THOUGHT = "<think>\nThey asked about cats.\n</think>\n\n"
FOX = "The quick brown fox jumps over the lazy dog. "
REST = "Dogs are loyal companions that live with people and herd sheep. "
A = ("Dogs bark. Dogs run far.\n\n\n", "Cats purr and run.", FOX + REST + "Yes.")
B = ("Dogs bark. Cats run.", THOUGHT + "cats purr  and sleep.", REST + FOX + "Yes.")


def talk(name: str, *texts: str) -> Output:
    """The last output of a conversation in which a variant said these."""
    variant = next(it for it in three_variants() if it.name == name)
    last: Output | None = None
    for text, reply in zip(texts, REPLIES, strict=False):
        output = said(variant, text)
        output.follows, output.reply, last = last, reply, output
    assert last is not None
    return last


def put(pilot: Pilot[None], **talks: Sequence[str]) -> None:
    state = playground(pilot).playground
    for name, texts in talks.items():
        variant = state.get(name)
        assert variant is not None
        state.started(Run((variant,), {}, outputs=[talk(name, *texts)]), None)
    playground(pilot).show()


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(160, 40)) as it:
        await settle(it)
        put(it, A=A, B=B)
        await it.press("escape", "2")
        await until(lambda: pane(it, "B").text.has_focus)
        yield it


@pytest.mark.parametrize("view", ["words", "tokens", "unified"])
@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("thoughts", [False, True])
def test_what_stands_where_in_the_baselines_pane(view: View, fold: bool, thoughts: bool) -> None:
    look = Look(view, Diffing(fold=fold), thoughts=thoughts)
    base, other = talk("A", *A), talk("B", *B)
    alone, drawn = Thread().draw(base, None, look), Thread().draw(other, base, look)
    places = drawn.places
    for heading in [f"{YOU}{reply}\n\n" for reply in REPLIES[1:]]:
        here, there = drawn.text.index(heading), alone.text.index(heading)
        assert (places.base_at(here), places.from_base(there)) == (there, here)
    offsets = [places.from_base(at) for at in range(len(alone.text) + 1)]
    assert offsets == sorted(offsets) and offsets[-1] <= len(drawn.text)
    assert places.stops == sorted(places.stops) and len(places.stops) >= 4
    first = [stop for stop in places.stops if stop.start < drawn.text.index(YOU)]
    assert 0 < len(first) < len(places.stops)
    assert alone.places.base_at(30) == alone.places.from_base(30) == 30
    for stop in places.stops:
        assert places.from_base(stop.a) <= stop.start
        assert stop.a <= len(alone.text)


def test_turns_that_are_the_same_outputs_are_not_compared() -> None:
    base = talk("A", *A[:2])
    other = replace(base, text="Cats sleep.", follows=base.follows)
    drawn = Thread().draw(other, base, Look("words", Diffing()))
    assert drawn.text.startswith(A[0]) and drawn.comparison is not None
    marked = [mark for mark in drawn.marks if mark.kind not in ("", "said")]
    assert marked and min(mark.start for mark in marked) > drawn.text.index(YOU)
    longer = talk("A", *A)
    drawn = Thread().draw(longer, base, Look("words", Diffing()))
    assert drawn.comparison is None, "the baseline has no such turn"


async def test_n_goes_through_all_turns_and_stays_from_view_to_view(pilot: Pilot[None]) -> None:
    count = int(await first_title(pilot))
    seen = [reversed_text(pilot)]
    for number in range(2, count + 1):
        await pilot.press("n")
        await until(lambda n=number: title(pilot) == f"{n} of {count}")
        seen.append(reversed_text(pilot))
    assert seen[0].startswith("Cats") and any("sleep" in it for it in seen)
    await pilot.press("N")
    await until(lambda: title(pilot) == f"{count - 1} of {count}")
    place = pane(pilot, "A").text.text.index(FOX)
    for keys in ("d", "d", "d d", "z", "T"):  # reasoning moves neither, for the baseline has none
        await pilot.press(*keys.split())
        await until(lambda: title(pilot) and abs(here(pilot) - place) < len(FOX + REST))
    put(pilot, B=B[:2])
    await until(lambda: title(pilot) == "")


def here(pilot: Pilot[None]) -> int:
    stop = pane(pilot, "B").walk.here
    assert stop is not None
    return stop.a


async def first_title(pilot: Pilot[None]) -> str:
    await pilot.press("n")
    await until(lambda: title(pilot).startswith("1 of"))
    return title(pilot).split(" of ")[1]


async def test_moves_and_what_is_ignored_count_in_the_last_turn(pilot: Pilot[None]) -> None:
    await until(lambda: "~9 moved" in stats(pilot) and stats(pilot).startswith("turn 3 · +0 −0"))
    put(pilot, A=A[:2], B=[B[0], THOUGHT + "cats  purr and RUN."])
    await until(lambda: stats(pilot).startswith("turn 2 · +"))
    state = playground(pilot).playground
    playground(pilot).compare_as("words", replace(state.diffing, ignore=Ignore(True, True)))
    await until(lambda: "turn 2 · same as A but for case and white space" in stats(pilot))


async def test_equal_parts_of_every_turn_are_folded(pilot: Pilot[None]) -> None:
    same = " ".join(f"w{n}" for n in range(30))
    put(pilot, A=[f"{same} old", f"{same} cats"], B=[f"{same} new", f"{same} dogs"])
    await pilot.press("z")
    text = pane(pilot, "B").text
    await until(lambda: text.text.count("equal words") == 2)
    assert f"new\n\n{YOU}And\ncats?\n\n[⋯" in text.text
    await pilot.press("n", "n")
    await until(lambda: title(pilot) == "2 of 2" and reversed_text(pilot).startswith("dogs"))


async def test_the_same_turns_scroll_to_the_same_row(pilot: Pilot[None]) -> None:
    long = "".join(f"Sentence {n} says a thing. " for n in range(120))
    put(pilot, A=["Short.", long, long], B=[long + THOUGHT, long.replace("7 ", "8 "), long])
    await until(lambda: "Why so?" in pane(pilot, "B").text.text)
    playground(pilot).compare_as("words", replace(Diffing(), together=True))
    b, a = pane(pilot, "B").text, pane(pilot, "A").text
    for heading in (f"{YOU}Why", f"{YOU}And"):
        line = b._line_at(b.text.index(heading))
        await until(lambda at=line: b.max_scroll_y > at)
        await pilot.pause()
        b.scroll_to(y=line, animate=False)
        await until(lambda at=line: b.scroll_offset.y == at)
        await until(lambda at=heading: a.row_of(a.text.index(at)) == 0)


async def test_a_turn_that_the_baseline_has_not_is_said(pilot: Pilot[None]) -> None:
    put(pilot, A=A[:2])
    await until(lambda: stats(pilot) == "turn 3 · A has no turn 3")
    text = pane(pilot, "B").text
    await until(lambda: any(mark.kind == "added" for mark in text._marks))


async def test_a_copy_takes_part_in_the_conversation_until_it_asks_something_else(
    pilot: Pilot[None],
) -> None:
    screen, state = playground(pilot), playground(pilot).playground
    await pilot.press("v")
    await until(lambda: state.selected == "D")
    run = Run(tuple(state.variants), {}, outputs=[said(it, "") for it in state.variants])
    state.talk.begin(run, None)
    made = {it.variant.name: it for it in run.outputs}
    assert (made["D"].follows, made["D"].reply) == (state.outputs["B"].follows, REPLIES[2])
    assert made["C"].follows is None
    await pilot.press("v")
    await until(lambda: state.selected == "E")
    assert isinstance(screen.board.pane("E"), OutputPane)
    variant = state.get("E")
    assert variant is not None
    state.update(replace(variant, prompt=replace(variant.prompt, user="Else.")))
    run = Run((variant,), {}, outputs=[said(variant, "")])
    state.talk.begin(run, None)
    assert run.outputs[0].follows is None


async def test_a_reopened_run_has_no_pins_of_the_variants_before(pilot: Pilot[None]) -> None:
    state = playground(pilot).playground
    await pilot.press("P")
    assert state.talk.pinned == {"B"}
    run = Run(tuple(state.variants), {}, outputs=[said(it, "Dogs.") for it in state.variants])
    state.reopen(Reopened(run, None, state.variants, "A", (), ()))
    assert not state.talk.pinned
    assert state.undo()
    assert state.talk.pinned == {"B"}
