"""Evaluations on the real engine that are paused, and that it dies in."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llamadiff.compare.evaluation.answers import Checked, standing
from llamadiff.compare.evaluation.evaluator import Evaluator
from llamadiff.compare.evaluation.pace import measure_paces
from llamadiff.compare.evaluation.pausing import Pause
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.prepare import Prepared
from llamadiff.compare.run import Output
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
            due = asked[name] >= kills[name] and name not in died
            if due and (pid := engine.pid) is not None:
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
    died.clear()
    kills["generate"] = 3
    monkeypatch.setattr(engine, "generate", dies_in("generate"))
    paces = await measure_paces(runner, plan, Pause())
    assert [it.calls for it in paces.values()] == [5, 5]


@dataclass
class Dying:
    """An engine that dies with requests whose prompts hold certain words, and after so many calls
    with all."""

    generate: Any
    fatal: set[str] = field(default_factory=set[str])
    lives: int | None = None
    asked: list[str] = field(default_factory=list[str])
    """The prompts of those that it did not die with, in order."""
    prompts: dict[int, str] = field(default_factory=dict[int, str])

    def __call__(self, model: LoadedModel, requests: Sequence[Request]) -> Any:
        texts = [self.prompts[it.id] for it in requests]
        if self.lives == 0 or any(word in text for word in self.fatal for text in texts):
            raise EngineError("The engine died.")
        self.lives = None if self.lives is None else self.lives - 1
        self.asked += texts
        return self.generate(model, requests)


@pytest.fixture
def dying(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Dying:
    it, request = Dying(runner.engine.generate), runner.request

    def noted(ready: Prepared, output: Output, **more: Any) -> Request:
        made = request(ready, output, **more)
        it.prompts[made.id] = ready.text
        return made

    monkeypatch.setattr(runner, "request", noted)
    monkeypatch.setattr(runner.engine, "generate", it)
    return it


def deadly(plan: Plan, rows: Sequence[int]) -> set[str]:
    return {text_of(plan, row) for row in rows}


def text_of(plan: Plan, row: int) -> str:
    """What its prompts alone hold."""
    return next(iter(plan.rows[row].values.values()))


def died(answers: Sequence[Checked]) -> set[int]:
    return {it.row for it in answers if it.died}


async def test_only_rows_that_the_engine_dies_with_fail_however_many_they_are(
    runner: Runner, tmp_path: Path, dying: Dying
) -> None:
    plan = plan_of(write_suite(tmp_path, 24, variants=VARIANTS.replace("24", "4")))
    whole = await evaluated(runner, plan)
    for rows in ({0, 1, 2, 3, 9}, {22, 23}):
        dying.fatal = deadly(plan, sorted(rows))
        found = await evaluated(runner, plan)
        assert died(found) == rows and len(found) == plan.answers
        assert all((it.error is not None) == (it.row in rows) for it in found)
        apart = {row // 8 for row in rows}
        assert [it for it in found if it.row // 8 not in apart] == [
            it for it in whole if it.row // 8 not in apart
        ]
    assert standing(plan, found) == [it for it in whole if it.row < 16]
    dying.fatal, dying.asked = set(), []
    again = await evaluated(runner, plan, found)
    assert standing(plan, found) + again == whole and len(dying.asked) == 16


async def test_what_a_broken_engine_could_not_do_is_run_later_and_last(
    runner: Runner, tmp_path: Path, dying: Dying, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(write_suite(tmp_path, 24, variants=VARIANTS.replace("24", "4")))
    whole = await evaluated(runner, plan)
    check, there = Evaluator._check, list[Checked]()  # pyright: ignore[reportPrivateUsage]

    def slowly(self: Evaluator, asked: Any) -> list[Checked]:
        time.sleep(0.2)
        return check(self, asked)

    monkeypatch.setattr(Evaluator, "_check", slowly)
    dying.fatal, dying.lives = deadly(plan, [12]), 2  # so that groups are asked one by one
    with pytest.raises(EngineError):
        await evaluated(runner, plan, on_group=there.extend)
    assert {it.row for it in standing(plan, there)} == set(range(8)), "checked, though late"
    assert {it.place for it in there if it.died} == {*plan.groups()[2].places}
    monkeypatch.setattr(Evaluator, "_check", check)
    dying.fatal, dying.lives, dying.asked = set(), None, []
    again = await evaluated(runner, plan, there)
    assert sorted([*standing(plan, there), *again], key=lambda it: it.place) == whole
    asked = [row for text in dying.asked for row in range(24) if text_of(plan, row) in text]
    assert asked[-8:] == [*range(8, 16)] and len(asked) == 32

    there.clear()
    dying.lives = 0
    with pytest.raises(EngineError):
        await evaluated(runner, plan, on_group=there.extend)
    assert there and all(it.died for it in there)
    dying.fatal, dying.lives = deadly(plan, [0, 1, 2]), None
    assert died(await evaluated(runner, plan, there)) == {0, 1, 2}


async def test_only_rows_that_the_engine_dies_judging_are_not_judged(
    runner: Runner, tmp_path: Path, dying: Dying
) -> None:
    plan = plan_of(write_suite(tmp_path, 12, JUDGE, variants=VARIANTS.replace("24", "4")))
    whole = await evaluated(runner, plan)
    judged = f"{plan.rows[3].asked}\n\nAnswer 1"
    dying.fatal = {judged}
    found = await evaluated(runner, plan)
    assert {(it.row, it.variant) for it in found if it.died} == {(3, "B")}
    assert [it for it in found if not it.died] == [
        it for it in whole if (it.row, it.variant) != (3, "B")
    ]
    dying.fatal = set()
    again = await evaluated(runner, plan, found)
    assert sorted([*standing(plan, found), *again], key=lambda it: it.place) == whole


async def test_what_waited_for_a_baseline_that_the_engine_died_with_is_judged_later(
    runner: Runner, tmp_path: Path, dying: Dying
) -> None:
    """The others have answered then: those are asked again, too."""
    (tmp_path / "plain.toml").write_text('name = "Plain"\nuser = "Plain: {{ message }}"\n')
    variants = VARIANTS.replace("24", "4").replace('prompt = "support"', 'prompt = "plain.toml"', 1)
    plan = plan_of(write_suite(tmp_path, 12, JUDGE, variants))
    whole = await evaluated(runner, plan)
    dying.fatal = {f"Plain: {plan.rows[3].values['message']}"}
    found = await evaluated(runner, plan)
    assert {(it.row, it.variant) for it in found if it.died} == {(3, "A")}
    (waited,) = (it for it in found if (it.row, it.variant) == (3, "B"))
    assert waited.score is None and not waited.error
    dying.fatal = set()
    again = await evaluated(runner, plan, found)
    assert sorted([*standing(plan, found), *again], key=lambda it: it.place) == whole


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
