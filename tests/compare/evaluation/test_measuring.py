"""What is measured once all answers are there: kept step by step, and nothing of it twice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.decision.elsewhere import others_left, others_of
from llamadiff.compare.evaluation.measured import Measured, read_measured
from llamadiff.compare.evaluation.measuring import measure
from llamadiff.compare.evaluation.pausing import Pause
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults
from llamadiff.models.adapters.training import read_training
from llamadiff.models.catalog import BUNDLED
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.rendering.helper import Renderer

from ..history.runs import opened
from .suites import CHECKS, evaluated, plan_of, write_suite


class Stop(Exception):
    """Somebody stops it."""


async def test_what_was_stopped_goes_on_with_the_suites_that_are_missing(
    engine: Engine, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_suite(tmp_path, 3).rename(tmp_path / f"{name}.toml")
    plan = plan_of(write_suite(tmp_path, 3, 'elsewhere = ["one.toml", "two.toml"]\n' + CHECKS))
    others, _ = others_of(plan, Defaults())
    kept: list[Measured] = []
    told: list[str] = []

    def stop(suite: str, share: float) -> None:
        if suite == "two":
            raise Stop

    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=tmp_path / "cache")
        answers = await evaluated(runner, plan)
        with pytest.raises(Stop):
            await measure(runner, plan, answers, others, Measured(5.0, 6), kept.append, stop)
        before = kept[-1]
        assert [it.suite for it in before.elsewhere] == ["one"]
        assert set(before.paces) == {"A", "B"} and (before.seconds, before.answers) == (5.0, 6)
        (adapter,) = before.adapters.values()
        assert adapter.name == "support" and adapter.training == read_training(
            BUNDLED / "support.gguf"
        )

        pause = Pause()

        def tell(suite: str, share: float) -> None:
            if not told:
                pause.begin()
                asyncio.get_running_loop().call_later(0.1, pause.end)
            told.append(suite)

        found = await measure(runner, plan, answers, others, before, kept.append, tell, pause=pause)
        assert set(told) == {"two"} and [it.suite for it in found.elsewhere] == ["one", "two"]
        assert (found.paces, found.elsewhere[0]) == (before.paces, before.elsewhere[0])

        (tmp_path / "two.toml").rename(tmp_path / "away.toml")
        there, missing = others_left(plan, Defaults(), (), None)
        assert [it.suite.name for it in there] == ["one"]
        assert len(missing) == 1 and missing[0].startswith("two is left as it was: There is no")
        left = await measure(runner, plan, answers, there, found, kept.append, missing=missing)
        assert {*left.elsewhere} == {*found.elsewhere} and left.problems == tuple(missing)
        (tmp_path / "away.toml").rename(tmp_path / "two.toml")

        told.clear()
        text = (tmp_path / "one.toml").read_text().replace("ignore_case = true", "without = true")
        (tmp_path / "one.toml").write_text(text)  # another suite by now
        others, _ = others_of(plan, Defaults())
        again = await measure(runner, plan, answers, others, before, kept.append, tell)
        assert set(told) == {"one", "two"} and again.elsewhere[0] != before.elsewhere[0]

    found = replace(found, hashes={tmp_path / "x.gguf": "ab", tmp_path / "y.gguf": None})
    assert read_measured(found.text()) == found
    with opened(tmp_path / "state") as history:
        key = history.evaluations.begin(plan, "0")
        assert history.evaluations.measured(key) == Measured()
        history.evaluations.keep_measured(key, found)
        assert history.evaluations.kept(key).measured == found
        assert history.evaluations.unfinished(plan) == key


def test_what_another_version_measured_is_left_out(tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 2))
    with opened(tmp_path / "state") as history:
        key = history.evaluations.begin(plan, "0")
        for text in ("[]", "{", json.dumps({"paces": {}}), '{"paces": 5, "elsewhere": []}'):
            history._change(lambda it, text=text: it.execute("UPDATE evaluations SET measured = ?", (text,)))  # fmt: skip  # pyright: ignore[reportPrivateUsage]
            assert history.evaluations.measured(key) == Measured()
