"""A sweep left and gone back to: nothing is stopped unasked, and its figures are of what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.run import State
from llamadiff.tui.screens.sweep import SweepScreen

from ..conftest import until
from .app import ENDLESS, playground, run_over
from .test_sweep_screen import (
    curve,
    means,
    open_sweep,
    screen,
    shown,
    sweeping,
    swept,
    variants,
    words,
)


@pytest.mark.parametrize("key", ["f2", "f3", "f9"])
async def test_leaving_by_a_key_asks_before_it_stops_the_sweep(home: Path, key: str) -> None:
    (endless,) = variants("adapter=support")
    async with shown(home, [replace(endless, sampling=ENDLESS)], ran=False) as pilot:
        await pilot.press("enter")
        await until(lambda: screen(pilot).sweeping is not None)
        it = sweeping(pilot)
        await until(lambda: any(out.text for out in it.run.outputs))
        await pilot.press(key)
        await until(lambda: "0 of 7 values are done" in words(pilot))
        await pilot.press(key, "n")
        count = len(it.run.outputs[0].tokens)
        await until(lambda: len(it.run.outputs[0].tokens) > count)
        assert screen(pilot).sweeping is it
        await pilot.press(key, "enter")
        await until(lambda: all(out.state is State.CANCELLED for out in it.run.outputs))
        await until(lambda: not isinstance(pilot.app.screen, SweepScreen))
        shown_now = {"f2": "Playground", "f3": "Library", "f9": "History"}
        assert type(pilot.app.screen).__name__ == shown_now[key]
        await pilot.press("f2")
        await until(lambda: pilot.app.screen is playground(pilot))
        await run_over(pilot, "f5", "escape")


async def test_a_sweep_shown_again_is_compared_with_what_is_said_by_now(home: Path) -> None:
    async with shown(home, variants("temperature=1.5", "temperature=1.5,adapter=french")) as pilot:
        await swept(pilot, "scale=0,1")
        it, old = sweeping(pilot), list(means(curve(pilot, "mean_logprob")))
        assert means(curve(pilot, "same_as_baseline"))[1] < 1
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        state = playground(pilot).playground
        a, b = state.variants
        state.update(replace(a, adapters=b.adapters))
        await run_over(pilot, "f5")
        await pilot.press("2", "delete")
        await until(lambda: state.names == ["A"])
        await pilot.press("v")
        await until(lambda: state.names == ["A", "B"])
        state.update(replace(b, name="B"))
        await open_sweep(pilot)
        assert sweeping(pilot) is it
        await until(lambda: means(curve(pilot, "same_as_baseline"))[1:] == [1])
        await until(lambda: "likelihood of A's output" in words(pilot))
        await until(lambda: len(means(curve(pilot, "mean_logprob"))) == 2)
        now = means(curve(pilot, "mean_logprob"))
        assert now == pytest.approx(old), "A says what B said"
        # and again: nothing is to be made anew
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await open_sweep(pilot)
        assert not sweeping(pilot).unmeasured and not sweeping(pilot).unscored
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await run_over(pilot, "S")
        state.seed = None
        await open_sweep(pilot)
        await until(
            lambda: (
                len(means(curve(pilot, "mean_logprob"))) == 2
                and means(curve(pilot, "mean_logprob")) != now
            )
        )
