"""What nobody will see is not gone on with: runs of variants that were removed or left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.run import Run, State
from llamadiff.compare.spec import Defaults, make_variants

from ..conftest import until
from .app import ENDLESS, opened, output, playground
from .test_reopened_talk import reopen_newest


@pytest.fixture
async def pilot(home: Path) -> AsyncIterator[Pilot[None]]:
    """Three variants that go on talking."""
    specs = ["adapter=none", "adapter=support", "adapter=support@0.5"]
    found = make_variants(Defaults(prompt="tell-me-about"), specs)
    async with opened(home, [replace(it, sampling=ENDLESS) for it in found]) as it:
        await it.press("escape", "f5")
        await talking(it, "ABC")
        yield it
        await it.press("escape")
        await until(lambda: not playground(it).session.running)


async def talking(pilot: Pilot[None], names: str) -> None:
    state = playground(pilot).playground
    await until(lambda: all(name in state.outputs and len(output(pilot, name).tokens) > 20 for name in names))  # fmt: skip


def going(pilot: Pilot[None]) -> Run:
    run = playground(pilot).session.run_now
    assert run is not None
    return run


async def test_a_removed_variant_is_stopped_and_its_name_starts_nothing(
    pilot: Pilot[None],
) -> None:
    gone = output(pilot, "C")
    await pilot.press("3", "delete")
    await until(lambda: gone.state is State.CANCELLED and bool(gone.text))
    count = len(output(pilot, "A").tokens)
    await until(lambda: len(output(pilot, "A").tokens) > count + 20)
    assert not output(pilot, "A").state.over and not output(pilot, "B").state.over
    await pilot.press("v")
    await until(lambda: playground(pilot).playground.names == [*"ABC"])
    playground(pilot).start(["A"])
    assert [it.name for it in going(pilot).variants] == ["A", "B"], "B was still talking"
    await talking(pilot, "AB")
    await pilot.press("u", "u")
    assert output(pilot, "C") is gone


async def test_a_removed_variant_that_waits_is_not_begun(pilot: Pilot[None]) -> None:
    playground(pilot).start()
    run = going(pilot)
    waits = output(pilot, "C")
    assert waits.state is State.WAITING
    playground(pilot).playground.selected = "C"
    playground(pilot).action_remove_variant()
    await until(lambda: waits.state is State.CANCELLED)
    await talking(pilot, "AB")
    assert going(pilot) is run and not waits.tokens
    assert waits.state is State.CANCELLED


async def test_what_undo_takes_off_the_screen_is_stopped(pilot: Pilot[None]) -> None:
    session = playground(pilot).session
    await pilot.press("escape")
    await until(lambda: not session.running)
    before = {name: output(pilot, name) for name in "ABC"}
    await reopen_newest(pilot)
    await pilot.press("f5")
    await talking(pilot, "ABC")
    run = going(pilot)
    await pilot.press("u")
    await until(lambda: not session.running)
    assert {it.state for it in run.outputs} == {State.CANCELLED}
    assert {name: output(pilot, name) for name in "ABC"} == before
