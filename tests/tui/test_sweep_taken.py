"""A swept value as a variant, and a sweep within a conversation, on the real app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.conversation import turns_of
from llamadiff.compare.lens import look
from llamadiff.compare.run import Output
from llamadiff.tui.widgets.output_pane import OutputPane
from llamadiff.tui.widgets.output_text import OutputText

from ..conftest import until
from .app import opened, output, playground, run_over, screen_text
from .test_sweep_screen import curve, means, open_sweep, shown, sweeping, swept, table, variants


async def take(pilot: Pilot[None], *keys: str) -> str:
    """Go to a value with these keys and take it; the name of the variant that this makes."""
    await pilot.press(*keys, "enter")
    await until(lambda: pilot.app.screen is playground(pilot))
    return playground(pilot).playground.selected


async def reply(pilot: Pilot[None], names: Sequence[str], text: str) -> None:
    screen = playground(pilot)
    screen.start(names, text)
    await until(lambda: not screen.session.running)
    await pilot.pause()


def recorded(pilot: Pilot[None], name: str) -> Output:
    """What the history has by now of a variant's newest output."""
    session = playground(pilot).session
    assert session.history is not None and session.last is not None
    session.history.flush()
    run = session.history.open(session.last.id)
    return next(it for it in run.outputs if it.variant.name == name)


async def test_the_history_knows_which_value_a_reply_went_on_from(home: Path) -> None:
    async with shown(home, variants("adapter=none", "adapter=support", "adapter=support")) as pilot:
        await swept(pilot)
        said = [it.text for it in sweeping(pilot).run.outputs]
        name = await take(pilot, "down")
        assert name == "D" and said[1] != said[3], "the sweep has a D of its own"
        await reply(pilot, [name], "And what do you need?")
        await until(lambda: not playground(pilot).session.behind.busy)
        before = recorded(pilot, name).follows
        assert before is not None
        assert (before.text, before.variant.adapters[0].scale) == (said[1], 0.25)
        assert before.run_id == sweeping_run(pilot)


def sweeping_run(pilot: Pilot[None]) -> str:
    swept = playground(pilot)._swept
    assert swept is not None and swept.sweeping is not None
    return swept.sweeping.run.id


async def test_the_output_that_is_shown_is_taken_with_its_repeats(home: Path) -> None:
    (lively,) = variants("adapter=support@0.4")
    lively = replace(lively, sampling={"temperature": 1.2, "max_tokens": 20})
    async with shown(home, [lively], ran=False) as pilot:
        await swept(pilot, "scale=0.2,0.6", repeats=4)
        await pilot.press("down", "right")
        await until(lambda: "text 2 of" in " ".join(screen_text(pilot).split()))
        state = pilot.app.screen.query_one(OutputPane).state
        assert state is not None and state.output is not None and state.output.repeat
        it = state.output
        all_of_it = [out.text for out in sweeping(pilot).at(1)]
        name = await take(pilot)
        await pilot.pause()
        assert (output(pilot, name).text, output(pilot, name).seed) == (it.text, it.seed)
        taken = playground(pilot).playground
        assert [out.text for out in taken.siblings(name)] == all_of_it
        await until(lambda: taken.repeating.complete)
        playground(pilot).board.show()
        assert output(pilot, name).text == it.text, "nobody chose another"
        pane = playground(pilot).board.pane(name)
        assert pane is not None and it.text in pane.query_one(OutputText).text
        await reply(pilot, [name], "And what do you need?")
        await until(lambda: not playground(pilot).session.behind.busy)
        before = recorded(pilot, name).follows
        assert before is not None and (before.seed, before.text) == (it.seed, it.text)


@pytest.mark.parametrize("repeats", [1, 2])
async def test_a_sweep_in_a_conversation_is_of_its_last_turn(home: Path, repeats: int) -> None:
    async with opened(home, variants()) as pilot:
        await run_over(pilot, "f5")
        await reply(pilot, ["A", "B"], "And what do you need from me now?")
        a, b = output(pilot, "A"), output(pilot, "B")
        await pilot.press("escape", "2")
        await pilot.pause()
        await open_sweep(pilot)
        await swept(pilot, "scale=0,1", repeats=repeats)
        it = sweeping(pilot)
        assert [turns_of(out)[:-1] for out in it.run.outputs] == [[b.follows]] * 2 * repeats
        assert it.at(1)[0].text == b.text, "its own scale, its own turn"
        assert it.base is a
        runner = await playground(pilot).session.runner()
        state = playground(pilot).playground
        lens = await look(
            runner, (state.variants[0], state.variants[1]), {}, b.tokens, turns=(a, b)
        )
        score = lens.summaries[1].logprob / len(b.tokens)
        assert means(curve(pilot, "mean_logprob"))[1] == pytest.approx(score, abs=1e-6)
        table(pilot).choose(1)
        name = await take(pilot)
        assert output(pilot, name).follows is b.follows and not state.stale(name)
        await reply(pilot, [name], "And then?")
        assert [out.reply for out in turns_of(output(pilot, name))][1:] == [b.reply, "And then?"]


async def test_a_turn_is_not_compared_with_another_turn_of_the_baseline(home: Path) -> None:
    async with opened(home, variants()) as pilot:
        await run_over(pilot, "f5")
        await reply(pilot, ["B"], "And what do you need from me now?")
        await pilot.press("escape", "2")
        await pilot.pause()
        await open_sweep(pilot)
        await swept(pilot, "scale=0,1")
        it = sweeping(pilot)
        assert it.base is None and it.texts == ["B"], "A has said nothing to that"
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await reply(pilot, ["B"], "And then?")
        await open_sweep(pilot)
        assert pilot.app.screen.sweeping is None, "it would be another sweep now"  # pyright: ignore[reportAttributeAccessIssue]
