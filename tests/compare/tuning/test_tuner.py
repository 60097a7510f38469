"""Several adapters trained one after the other, paused, sampled, and not trained again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.runner import Runner
from llamadiff.compare.training_data.findings import Kind
from llamadiff.compare.training_data.shipped import find_rows
from llamadiff.compare.tuning.data import CheckedData, check_data
from llamadiff.compare.tuning.events import AdapterBegun, Event, Sampled
from llamadiff.compare.tuning.plan import TuningPlan
from llamadiff.compare.tuning.tuner import Places, Tuner
from llamadiff.models.adapters.training import read_training
from llamadiff.models.engine.client import Engine
from llamadiff.models.tuning.tasks import (
    Begun,
    Done,
    Estimated,
    Paused,
    Saved,
    Stepped,
    Validated,
)
from llamadiff.prompts.library import Library
from llamadiff.prompts.rendering.helper import Renderer


@contextlib.asynccontextmanager
async def checked(
    engine: Engine, plan: TuningPlan, cache: Path
) -> AsyncIterator[tuple[Runner, CheckedData]]:
    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=cache)
        yield runner, await check_data(runner, plan, Library())


async def test_an_adapter_for_each_number_of_rows(
    engine: Engine, base: Path, tmp_path: Path
) -> None:
    plan = TuningPlan(
        base=base, data=find_rows("sentiment"), out=tmp_path / "mine.gguf", rows=(6, 12),
        prompt=Library().resolve("sentiment"),
        settings={"steps": "4", "rank": "4", "checkpoint_every": "2", "eval_every": "2"},
    )  # fmt: skip
    places = Places(tmp_path / "state", tmp_path / "cache", tmp_path / "log")
    heard: list[Event] = []
    async with checked(engine, plan, tmp_path / "cache") as (runner, data):
        assert [it.steps for it in data.estimates] == [4, 4] and not data.problem
        assert data.estimates[1].parameters == data.estimates[0].parameters
        tuner = Tuner(runner, plan, data, places)
        async for event in tuner.events():
            heard.append(event)
            if isinstance(event, Begun) and len(heard) < 5:
                tuner.pause()
            if isinstance(event, Paused):
                assert not Path(plan.adapters[0].out).exists()
                tuner.go_on()
        again: list[Event] = []
        async for event in Tuner(runner, plan, data, places, resume=True).events():
            again.append(event)

    kinds = [type(it) for it in heard]
    parts = [place for place, kind in enumerate(kinds) if kind is AdapterBegun]
    first, second = heard[: parts[1]], heard[parts[1] :]
    assert [type(it) for it in first[:3]] == [AdapterBegun, Estimated, Begun]
    assert Paused in kinds and {Stepped, Validated, Saved} <= {type(it) for it in second}
    for them, adapter in zip((first, second), plan.adapters, strict=True):
        *_, sampled, done = them
        assert isinstance(sampled, Sampled) and isinstance(done, Done) and done.why == "steps"
        assert done.adapter == str(adapter.out) and sampled.step == done.step
        assert [it.expected for it in sampled.samples] != [it.before for it in sampled.samples]
        assert read_training(adapter.out).rows == adapter.rows
    assert read_training(plan.adapters[0].out).losses != read_training(plan.adapters[1].out).losses

    assert [type(it) for it in again] == [AdapterBegun, Begun, Done] * 2
    begun = again[1]
    assert isinstance(begun, Begun) and [step for step, _ in begun.losses] == [1, 2, 3, 4]
    assert again[2] == first[-1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("user,assistant\nHi,Hello\nhi,Hello\n", "Fewer than two different questions are left"),
        ("prompt,chosen,rejected\nHi,Hello,No\nWho?,Me,You\n", ""),
    ],
)
async def test_what_cannot_be_trained_is_said_with_the_checks(
    engine: Engine, base: Path, tmp_path: Path, rows: str, words: str
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text(rows)
    plan = TuningPlan(base=base, data=data, out=tmp_path / "mine.gguf")
    async with checked(engine, plan, tmp_path / "cache") as (_, found):
        assert found.problem.startswith(words) and bool(found.problem) == bool(words)
        assert found.settings.method == ("sft" if words else "dpo")
        assert bool(found.estimates) != bool(words)


async def test_processes_that_do_not_fit_together_are_refused_with_the_checks(
    engine: Engine, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamadiff.compare.tuning.data.may_have_gpu", lambda: False)
    monkeypatch.setattr("llamadiff.models.tuning.estimate.available_memory", lambda: 10**9)
    data = tmp_path / "rows.csv"
    data.write_text("user,assistant\nHi,Hello\nWho?,Me\n")
    problems: list[str] = []
    for settings in ({}, {"processes": "2"}):
        plan = TuningPlan(base=base, data=data, out=tmp_path / "mine.gguf", settings=settings)
        async with checked(engine, plan, tmp_path / "cache") as (_, found):
            problems.append(found.problem)
    assert not problems[0] and problems[1].startswith("Training in 2 processes needs about")


async def test_rows_of_a_suite_elsewhere_are_found(
    engine: Engine, base: Path, tmp_path: Path
) -> None:
    own = tmp_path / "sentiment-mine.toml"
    suite = (SHIPPED / "sentiment.toml").read_text().replace("sentiment.jsonl", str(SHIPPED / "sentiment.jsonl"))  # fmt: skip
    own.write_text(suite.replace("elsewhere = [", 'elsewhere = ["mine", "gone", '))
    (tmp_path / "mine.toml").write_text((SHIPPED / "french.toml").read_text().replace("french.jsonl", str(SHIPPED / "french.jsonl")))  # fmt: skip
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join((SHIPPED / "french.jsonl").read_text().splitlines()[:4]))
    plan = TuningPlan(base=base, data=data, out=tmp_path / "x.gguf", prompt=Library().resolve("french"), evaluated=(own,))  # fmt: skip
    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=tmp_path / "cache")
        found = await check_data(runner, plan, Library(), [tmp_path])
    leaks = [it for it in found.report.findings if it.kind is Kind.LEAKED]
    assert [(it.count, it.cases[0].file.name) for it in leaks if it.cases[0].file] == [(4, "french.jsonl")] * 2  # fmt: skip


async def test_rated_rows_are_trained_on_and_known_by_their_keys(
    engine: Engine, base: Path, tmp_path: Path
) -> None:
    data, out = tmp_path / "rated.jsonl", tmp_path / "mine.gguf"
    rows = [
        {
            "prompt": [{"role": "user", "content": f"What is {what}?"}],
            "chosen": [{"role": "assistant", "content": f"{what} is fine."}],
            "rejected": [{"role": "assistant", "content": "No."}],
            "suite_row": key,
        }
        for what, key in (("tea", "a1"), ("rain", "b2"), ("snow", "b2"), ("wood", "c3"))
    ]
    data.write_text("\n".join(map(json.dumps, rows)))
    plan = TuningPlan(base=base, data=data, out=out, settings={"steps": "2", "batch": "2"})
    places = Places(tmp_path / "state", tmp_path / "cache", tmp_path / "log")
    async with checked(engine, plan, tmp_path / "cache") as (runner, found):
        assert sorted(found.keys(plan.adapters[0])) == ["a1", "b2", "c3"]
        heard = [it async for it in Tuner(runner, plan, found, places).events()]
    (looked, *_) = [it for it in heard if isinstance(it, Validated)]
    assert looked.margin is not None and isinstance(heard[-1], Done)
    said = read_training(out)
    assert said.method == "dpo" and sorted(said.data_keys) == ["a1", "b2", "c3"]
