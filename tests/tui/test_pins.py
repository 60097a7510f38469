"""What a person holds on to stays: pinned outputs, what was compared, what a turn was asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.conversation import turns_of
from llamadiff.compare.run import Run, State, new_run
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.reopening import Reopened
from llamadiff.tui.state import Playground
from llamadiff.tui.widgets.reply_box import ReplyBox

from ..conftest import until
from .app import (
    ENDLESS,
    opened,
    output,
    playground,
    run_over,
    said,
    screen_text,
    setup,
    three_variants,
    told,
)


@pytest.fixture
def state(tmp_path: Path) -> Playground:
    it = Playground(setup(tmp_path, three_variants()))
    it.started(answers(it.variants, "one"), None)
    return it


def answers(variants: list[Variant], text: str) -> Run:
    return Run(tuple(variants), {}, outputs=[said(it, f"{text} {it.name}") for it in variants])


def opened_again(run: Run, seed: int | None = None) -> Reopened:
    return Reopened(run, seed, run.variants, run.variants[0].name, (), ())


def two(*specs: str) -> list[Variant]:
    return make_variants(
        Defaults(prompt="support"), list(specs or ("adapter=none", "adapter=support"))
    )


async def reply(pilot: Pilot[None], text: str) -> None:
    playground(pilot).start(None, text)
    await until(lambda: not playground(pilot).session.running)
    await pilot.pause()


def test_what_is_pinned_comes_back_pinned(state: Playground) -> None:
    state.talk.pinned = {"A", "B"}
    state.selected = "B"
    state.remove()
    assert state.undo() and state.talk.pinned == {"A", "B"}
    state.rescale(0.1)
    state.talk.pinned.discard("A")
    state.selected = "C"
    state.rescale(0.1)
    assert state.undo() and state.talk.pinned == {"B"}, "it was let go after what was undone"


def test_a_copy_that_comes_back_takes_part_in_its_conversation(state: Playground) -> None:
    made = state.add()
    assert made is not None
    place = state.talk.place(made.name)
    state.remove()
    assert state.undo() and place is not None and state.talk.place(made.name) is place


def test_reopening_lets_go_of_pins_and_undo_brings_all_of_it_back(state: Playground) -> None:
    state.started(answers(state.variants, "two"), None)
    state.talk.pinned = {"A"}
    state.own_before = state.live = True
    before = dict(state.before)
    other = answers(state.variants[:2], "then")
    state.reopen(opened_again(other, 7))
    assert not state.talk.pinned and not state.live
    assert not state.own_before, "B compares with then, as is said"
    state.own_before = True
    then = dict(state.then)
    state.reopen(opened_again(answers(state.variants[:1], "long ago"), 8))
    assert state.undo() and state.then == then and state.own_before and state.seed == 7
    assert state.base_of("B") == ("then", then["B"])
    assert state.undo() and state.talk.pinned == {"A"} and state.live and state.own_before
    assert (state.then, state.before, state.seed) == ({}, before, None)


def test_a_removed_variant_comes_back_with_what_it_said_then(state: Playground) -> None:
    state.reopen(opened_again(answers(state.variants, "then")))
    then = state.then["B"]
    state.selected = "B"
    state.remove()
    assert state.undo() and state.then["B"] is then


def test_a_repeat_is_compared_with_the_same_one_of_before_and_then(state: Playground) -> None:
    def repeated() -> Run:
        outputs = [said(it, f"{it.name} {i}") for it in state.variants for i in range(3)]
        for i, it in enumerate(outputs):
            it.repeat = i % 3
        return Run(tuple(state.variants), {}, outputs=outputs)

    state.repeats = 3
    first, second = repeated(), repeated()
    state.started(first, None)
    state.started(second, None)
    state.own_before = True
    state._show(second.outputs[5])
    assert state.base_of("B") == ("before", first.outputs[5])
    assert state.base_of("A")[1] is first.outputs[0]
    state.reopen(opened_again(first))
    state.own_before = True
    for it in first.outputs[3:6]:
        state._show(it)
        assert state.base_of("B")[1] is it
    state.started(second, None)
    state._show(second.outputs[4])
    assert state.base_of("B")[1] is first.outputs[4]


def test_what_was_asked_is_of_each_turn_and_forgotten_with_it(state: Playground) -> None:
    for seed in range(20):
        state.started(new_run(state.variants, {}, seed=seed, repeats=3), seed)
    assert len(state._asked.all()) == 12, "of the newest run, and of the three that spoke before"


async def test_a_turn_gone_back_to_says_that_it_was_made_otherwise(home: Path) -> None:
    async with opened(home, two("adapter=support", "adapter=support@0.5")) as pilot:
        state = playground(pilot).playground
        await run_over(pilot, "f5")
        await pilot.press("escape", "2", "left_square_bracket")
        assert state.stale("B")
        await reply(pilot, "And when?")
        assert not state.stale("B")
        await pilot.press("Z")
        assert len(turns_of(output(pilot, "B"))) == 1
        assert state.stale("B") and not state.stale("A")


async def test_a_reply_has_nothing_before_it_to_be_compared_with(home: Path) -> None:
    async with opened(home, two()) as pilot:
        state = playground(pilot).playground
        await run_over(pilot, "f5")
        await run_over(pilot, "f5")
        await pilot.press("escape", "B")
        assert state.own_before and state.base_of("B")[0] == "before"
        await pilot.press("r")
        await until(lambda: box(pilot).area.has_focus)
        box(pilot).area.text = "And when?"
        await run_over(pilot, "enter")
        assert state.base_of("B")[0] == "A" and not state.own_before
        assert "compared with A" in told(pilot)


def box(pilot: Pilot[None]) -> ReplyBox:
    return playground(pilot).query_one(ReplyBox)


async def test_a_pin_waits_for_all_repeats_and_then_holds(home: Path) -> None:
    it = [replace(v, sampling=ENDLESS) for v in two()]
    async with opened(home, it) as pilot:
        state = playground(pilot).playground
        state.repeats = 2
        await pilot.press("escape", "1", "f5")
        await until(lambda: all(out.text for out in state.siblings("A")))
        state.siblings("A")[0].state = State.DONE
        await pilot.press("P")
        assert "repeats to come" in told(pilot) and not state.talk.pinned
        await pilot.press("escape")
        await until(lambda: not playground(pilot).session.running)
        await pilot.press("P", "delete", "u")
        kept = output(pilot, "A")
        assert state.talk.pinned == {"A"}
        await pilot.press("f5")
        await until(lambda: output(pilot, "B").text and playground(pilot).session.running)
        await pilot.press("1", "P", "P")
        await pilot.press("2", "f5")
        assert output(pilot, "A") is kept


async def test_an_unfinished_run_does_not_take_what_is_pinned_along(home: Path) -> None:
    async with opened(home, [replace(v, sampling=ENDLESS) for v in two()]) as pilot:
        state, session = playground(pilot).playground, playground(pilot).session
        await pilot.press("escape", "f5")
        await until(lambda: output(pilot, "A").text and output(pilot, "B").text)
        kept = output(pilot, "A")
        state.talk.pinned.add("A")
        playground(pilot).start(["B"])
        assert session.last is not None and [it.name for it in session.last.variants] == ["B"]
        assert output(pilot, "A") is kept


async def test_a_pinned_one_is_not_replied_to(home: Path) -> None:
    async with opened(home, two()) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "1", "P", "r")
        await until(lambda: "reply to B ▸" in screen_text(pilot))
        await pilot.press("tab")
        assert box(pilot).area.has_focus


async def test_a_reply_that_cannot_be_sent_stays(home: Path) -> None:
    async with opened(home, two("adapter=support")) as pilot:
        state = playground(pilot).playground
        state.seed = 2**32 - 2
        await run_over(pilot, "f5")
        state.repeats = 8
        await pilot.press("escape", "r")
        await until(lambda: box(pilot).area.has_focus)
        box(pilot).area.text = "typed with care"
        last = playground(pilot).session.last
        await pilot.press("enter")
        await until(lambda: "seed" in told(pilot))
        assert playground(pilot).session.last is last
        assert box(pilot).area.text == "typed with care" and box(pilot).area.has_focus
        state.repeats = 1
        await run_over(pilot, "enter")
        assert len(turns_of(output(pilot, "A"))) == 2 and not box(pilot).display
