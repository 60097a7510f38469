"""What the top bar says while a load in the background and a run overlap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llamadiff.compare.run import State
from llamadiff.tui.session import Session

from .app import INFO, setup, three_variants


class SlowLoad:
    """Stands in for the runner: a load that goes on until it is let go."""

    def __init__(self) -> None:
        self.progress: Callable[[float], None] | None = None
        self.done = asyncio.Event()

    async def load(self, variant: object, progress: Callable[[float], None]) -> Any:
        self.progress = progress
        await self.done.wait()
        return SimpleNamespace(info=INFO)

    def facts(self, model: Path) -> Any:
        return SimpleNamespace(quantization="Q8_0")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(setup(tmp_path, three_variants()), lambda: None, lambda _: None)


async def loading(session: Session, monkeypatch: pytest.MonkeyPatch) -> tuple[SlowLoad, Any]:
    runner = SlowLoad()

    async def get() -> SlowLoad:
        return runner

    monkeypatch.setattr(session._services, "runner", get)
    task = asyncio.create_task(session.load())
    while runner.progress is None:
        await asyncio.sleep(0)
    return runner, task


async def test_a_first_load_is_shown_with_its_progress_and_ends_ready(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.status.state == "starting"
    runner, task = await loading(session, monkeypatch)
    assert runner.progress is not None
    runner.progress(0.4)
    assert (session.status.state, session.status.detail) == ("loading", "40 %")
    runner.done.set()
    await task
    assert (session.status.state, session.status.detail) == ("ready", "")


async def test_a_run_that_ends_during_a_load_is_not_said_to_run_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = session.begin()
    assert run is not None
    runner, task = await loading(session, monkeypatch)
    for output in run.outputs:
        output.state = State.DONE
    session._ended(run)
    assert runner.progress is not None
    runner.progress(0.5)
    runner.done.set()
    await task
    assert session.status.state == "done"


async def test_a_load_in_the_background_does_not_hide_that_the_engine_died(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session._engine_died("The engine was ended by SIGKILL.")
    runner, task = await loading(session, monkeypatch)
    assert runner.progress is not None
    runner.progress(0.5)
    assert session.status.state == "failed"
    runner.done.set()
    await task
    assert session.status.state == "failed"
