"""Evaluations on the real engine that are paused, and that it dies in."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.evaluator import Evaluator
from llamadiff.compare.evaluation.pace import measure_paces
from llamadiff.compare.evaluation.pausing import Pause
from llamadiff.compare.runner import Runner
from llamadiff.models.engine.client import Engine, EngineError, LoadedModel
from llamadiff.models.engine.protocol import Request
from llamadiff.prompts.rendering.helper import Renderer

from ...conftest import until
from .suites import VARIANTS, evaluated, plan_of, write_suite


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


JUDGE = '[[checks]]\ncheck = "judge"\nrubric = "Be long."\nagainst = "baseline"\n'


async def test_an_engine_that_dies_costs_no_row(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(write_suite(tmp_path, 40, variants=VARIANTS.replace("24", "6")))
    whole = await evaluated(runner, plan)
    engine, asked, kills = runner.engine, Counter[str](), {"tokenize": 70, "generate": 1}
    died: list[str] = []

    def dies_in(name: str) -> Any:
        real = getattr(engine, name)

        def call(*given: Any, **more: Any) -> Any:
            asked[name] += 1
            if asked[name] == kills[name] and (pid := engine.pid) is not None:
                died.append(name)
                os.kill(pid, signal.SIGKILL)
            return real(*given, **more)

        return call

    for name in kills:
        monkeypatch.setattr(engine, name, dies_in(name))

    def kill(group: list[Checked]) -> None:
        later = group[0].row >= 32  # than the block of rows in which it died twice
        if later and len(died) == 2 and engine.pid is not None:
            died.append("between")
            os.kill(engine.pid, signal.SIGKILL)

    again = await evaluated(runner, plan, on_group=kill)
    assert sorted(died) == ["between", "generate", "tokenize"] and again == whole
    monkeypatch.undo()
    asked.clear()
    kills["generate"] = 3
    monkeypatch.setattr(engine, "generate", dies_in("generate"))
    paces = await measure_paces(runner, plan, Pause())
    assert [it.calls for it in paces.values()] == [5, 5]


async def test_what_an_engine_could_not_do_is_run_later_and_what_kills_it_is_an_error(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(write_suite(tmp_path, 24, variants=VARIANTS.replace("24", "6")))
    whole = await evaluated(runner, plan)
    generate, fatal = runner.engine.generate, set[int]()

    def dying(model: LoadedModel, requests: Sequence[Request]) -> Any:
        if fatal & {request.group for request in requests}:
            raise EngineError("The engine died.")
        return generate(model, requests)

    monkeypatch.setattr(runner.engine, "generate", dying)
    there: list[Checked] = []
    groups = plan.groups()
    fatal |= {group.number for group in groups[2:]}
    with pytest.raises(EngineError):
        await evaluated(runner, plan, on_group=there.extend)
    assert {it.place for it in there} == {place for it in groups[:2] for place in it.places}
    for fatal_ones in ({groups[2].number}, {groups[-1].number}):
        fatal.clear()
        fatal |= fatal_ones
        found = await evaluated(runner, plan, there)
        failed = {it.place for it in found if it.error == "The engine died."}
        assert failed == {p for it in groups if it.number in fatal for p in it.places}
        fine = [it for it in found if it.error is None]
        assert [it for it in whole if it in fine or it in there] == [
            it for it in whole if it.place not in failed
        ]
    fatal.clear()
    assert sorted([*there, *await evaluated(runner, plan, there)], key=lambda it: it.place) == whole


async def test_a_pause_takes_effect_at_once_and_costs_no_row(
    runner: Runner, tmp_path: Path
) -> None:
    plan = plan_of(write_suite(tmp_path, 60))
    whole = await evaluated(runner, plan)
    came: list[Checked] = []
    pause, began, told = Pause(), list[float](), list[int]()
    generate = runner.engine.generate

    async def listening(model: LoadedModel, requests: Sequence[Request]) -> Any:
        async for events in generate(model, requests):
            if len(came) % 40 >= 16 and not pause.on and len(began) < 3:
                began.append(time.monotonic())
                pause.begin()
            yield events

    runner.engine.generate = listening  # type: ignore[method-assign]
    evaluator = Evaluator(runner, plan, came.extend, lambda it: told.append(it.answers), pause)
    running = asyncio.create_task(evaluator.run())
    for count in range(3):
        await until(lambda count=count: len(began) == count + 1)
        await until(lambda: not runner.engine._streams)  # pyright: ignore[reportPrivateUsage]
        assert time.monotonic() - began[-1] < 1
        there = len(came)
        await asyncio.sleep(0.1)
        assert len(came) <= there + 8 and not running.done()
        pause.end()
    await running
    assert sorted(came, key=lambda it: it.place) == whole and told[-1] == plan.answers


async def test_an_engine_that_dies_under_a_judge_costs_no_row(
    runner: Runner, tmp_path: Path
) -> None:
    plan = plan_of(write_suite(tmp_path, 6, JUDGE))
    whole = await evaluated(runner, plan)
    died: list[int] = []
    generate = runner.engine.generate

    def listening(model: LoadedModel, requests: Sequence[Request]) -> Any:
        pid = runner.engine.pid
        if not died and requests[0].grammar and pid is not None:
            died.append(pid)
            os.kill(pid, signal.SIGKILL)
        return generate(model, requests)

    runner.engine.generate = listening  # type: ignore[method-assign]
    assert await evaluated(runner, plan) == whole and died
