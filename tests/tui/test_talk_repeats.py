"""Conversations with repeats on the real app: copied, branched, swept, replied to, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.conversation import turns_of
from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.widgets.reply_box import ReplyBox
from llamadiff.tui.widgets.token_facts import TokenFacts

from ..conftest import until
from .app import opened, output, playground, run_over, screen_text, told
from .test_sweep_screen import open_sweep, sweeping, swept, table

LIVELY = "temperature=2,top_k=0,top_p=1,min_p=0,max_tokens=24"


@pytest.fixture
async def pilot(home: Path) -> AsyncIterator[Pilot[None]]:
    """Two variants that said something three times, each with another seed."""
    specs = [f"adapter=none,{LIVELY}", f"adapter=support,{LIVELY}"]
    variants = make_variants(Defaults(prompt="tell-me-about"), specs)
    async with opened(home, variants) as it:
        playground(it).playground.repeats = 3
        await it.press("escape")
        await run_over(it, "f5")
        yield it


def repeats(pilot: Pilot[None], name: str) -> tuple[Output, ...]:
    return playground(pilot).playground.siblings(name)


async def reply(pilot: Pilot[None], text: str) -> None:
    playground(pilot).start(None, text)
    await until(lambda: not playground(pilot).session.running)
    await pilot.pause()


def show(pilot: Pilot[None], it: Output) -> None:
    playground(pilot).playground.repeating.choose(it)
    playground(pilot).show()


def followed(outputs: tuple[Output, ...]) -> list[tuple[Output | None, str]]:
    return [(it.follows, it.reply) for it in outputs]


def recorded(pilot: Pilot[None]) -> Run:
    """What the history has of the newest run."""
    session = playground(pilot).session
    assert session.history is not None and session.last is not None
    session.history.flush()
    return session.history.open(session.last.id)


async def test_each_repeat_goes_on_with_its_own_conversation(pilot: Pilot[None]) -> None:
    firsts = {name: repeats(pilot, name) for name in "AB"}
    assert len({it.text for it in firsts["A"]}) == 3
    show(pilot, firsts["A"][1])
    box = playground(pilot).query_one(ReplyBox)
    await pilot.press("r")
    await until(lambda: "reply to all 2, each output its own ▸" in screen_text(pilot))
    box.area.text = "And cats?"
    await run_over(pilot, "enter")
    for name in "AB":
        assert followed(repeats(pilot, name)) == [(it, "And cats?") for it in firsts[name]]
    given = [it.stamp.prompt_text for it in repeats(pilot, "A")]
    assert all(it.text in text for it, text in zip(firsts["A"], given, strict=True))
    # the last turn once more
    await run_over(pilot, "S")
    assert followed(repeats(pilot, "A")) == [(it, "And cats?") for it in firsts["A"]]
    # fewer than there are go on with what is on the screen
    shown = repeats(pilot, "A")[2]
    show(pilot, shown)
    playground(pilot).playground.repeats = 2
    await pilot.press("r")
    await until(lambda: "reply to all 2, the outputs shown ▸" in screen_text(pilot))
    box.area.text = "Why?"
    await run_over(pilot, "enter")
    assert followed(repeats(pilot, "A")) == [(shown, "Why?")] * 2
    turns = turns_of(recorded(pilot).outputs[1])
    assert [it.repeat for it in turns] == [2, 2, 1]


async def test_a_repeat_without_an_answer_goes_on_with_the_one_shown(pilot: Pilot[None]) -> None:
    firsts = repeats(pilot, "A")
    firsts[1].state = State.FAILED
    show(pilot, firsts[2])
    playground(pilot).playground.repeats = 4
    await reply(pilot, "And cats?")
    assert [it.follows for it in repeats(pilot, "A")] == [
        firsts[0], firsts[2], firsts[2], firsts[2]
    ]  # fmt: skip


async def test_all_repeats_of_a_copy_are_in_its_conversation(pilot: Pilot[None]) -> None:
    await reply(pilot, "And cats?")
    before = followed(repeats(pilot, "B"))
    await pilot.press("2", "v")
    await until(lambda: playground(pilot).playground.selected == "C")
    await run_over(pilot, "f5")
    assert followed(repeats(pilot, "C")) == before
    assert all(it.follows is not None for it in repeats(pilot, "C"))


async def test_all_repeats_of_a_branch_are_in_its_conversation(pilot: Pilot[None]) -> None:
    await reply(pilot, "And cats?")
    show(pilot, repeats(pilot, "A")[1])
    shown = output(pilot, "A")
    await pilot.press("2", "t")
    await until(lambda: "They part at token" in " ".join(screen_text(pilot).split()))
    facts = pilot.app.screen.query_one(TokenFacts)
    await pilot.press("enter")
    await until(lambda: facts.has_focus and facts.state is not None)
    last = playground(pilot).session.last
    await pilot.press("down", "enter")  # in the baseline's column
    await until(lambda: playground(pilot).session.last is not last)
    await until(lambda: not playground(pilot).session.running)
    assert followed(repeats(pilot, "C")) == [(shown.follows, "And cats?")] * 3
    assert all(it.stamp.forced for it in repeats(pilot, "C"))


async def test_all_repeats_of_a_swept_value_are_in_its_conversation(pilot: Pilot[None]) -> None:
    await reply(pilot, "And cats?")
    shown = output(pilot, "B")
    await pilot.press("2")
    await open_sweep(pilot)
    await swept(pilot, "scale=0,1")
    assert followed(tuple(sweeping(pilot).run.outputs)) == [(shown.follows, "And cats?")] * 2
    sweeping(pilot).run.outputs[1].state = State.CANCELLED
    table(pilot).move(1)
    await pilot.press("enter")
    await until(lambda: playground(pilot).playground.selected == "C")
    assert "C" not in playground(pilot).playground.outputs, "what was stopped is not taken"
    before = followed(repeats(pilot, "B"))
    await run_over(pilot, "f5")
    assert followed(repeats(pilot, "C")) == before


async def test_a_copy_goes_back_to_an_output_of_its_own(pilot: Pilot[None]) -> None:
    firsts = repeats(pilot, "B")
    await reply(pilot, "And cats?")
    await pilot.press("2", "v")
    await until(lambda: playground(pilot).playground.selected == "C")
    await run_over(pilot, "f5")
    await pilot.press("Z")
    state = playground(pilot).playground
    assert [state.talk.turns(name) for name in "ABC"] == [1, 1, 1]
    assert not any(map(state.stale, state.names)) and state.talk.can_go_on("ABC") == [*"ABC"]
    own = repeats(pilot, "C")
    assert [it.name for it in own] == ["C", "C.2", "C.3"]
    assert [it.text for it in own] == [it.text for it in firsts]
    b, c = output(pilot, "B"), output(pilot, "C")
    await pilot.press("3", "full_stop")
    assert output(pilot, "B") is b and output(pilot, "C") is not c
    assert output(pilot, "C") in own
    # and the history knows whose they were
    await reply(pilot, "And then?")
    made = [it for it in recorded(pilot).outputs if it.variant.name == "C"]
    assert [it.follows and (it.follows.name, it.follows.run_id) for it in made] == [
        (it.name, it.run_id) for it in firsts
    ]


async def test_nothing_before_is_compared_with_the_baseline(pilot: Pilot[None]) -> None:
    playground(pilot).playground.repeats = 1
    await run_over(pilot, "f5")
    await reply(pilot, "And cats?")
    await run_over(pilot, "f5")
    await pilot.press("B")
    state = playground(pilot).playground
    assert state.own_before and state.base_of("B")[0] == "before"
    await pilot.press("Z")
    assert not state.own_before and state.base_of("B")[0] == "A"
    assert "compared with A" in told(pilot)
    await run_over(pilot, "f5")
    assert state.base_of("B")[0] == "A", "as it was left"
