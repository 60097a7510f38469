"""A suite's rate beside the engine's own: the same requests, handed to it at once.

    .venv/bin/python benchmarks/suites.py -n 5

The suite renders, tokenizes, checks and writes 2,000 answers to a history while it runs; the engine
alone is given all of its requests, made beforehand, in one command of the same batches, and in one
where it batches as widely as it can. Runs are interleaved; ratios are of pairs. Where other programs
take the cores, the engine's processor time says more than the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from llamadiff.compare.evaluation.answers import Asked, Checked
from llamadiff.compare.evaluation.evaluator import Evaluator
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.rows import suite_rows
from llamadiff.compare.evaluation.settling import make_plan
from llamadiff.compare.evaluation.shipped import find_suite
from llamadiff.compare.evaluation.variants import suite_variants
from llamadiff.compare.history.history import History
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import BACKGROUND, Finished, ModelSettings, Request
from llamadiff.prompts.rendering.helper import Renderer


class Clock:
    """Seconds since it was made: by the clock, and the processor time of the engine and of us."""

    def __init__(self, runner: Runner) -> None:
        assert runner.engine.pid
        self._worker = psutil.Process(runner.engine.pid)
        self._began = self._now()

    def _now(self) -> tuple[float, float, float]:
        worker = self._worker.cpu_times()
        return time.perf_counter(), worker.user + worker.system, time.process_time()

    def read(self) -> tuple[float, float, float]:
        wall, worker, own = (now - then for now, then in zip(self._now(), self._began, strict=True))
        return wall, worker, own


Times = tuple[float, float, float]


async def suite_s(runner: Runner, plan: Plan, folder: Path) -> Times:
    """Times of the whole suite."""
    history = History(folder, "benchmark", print)
    evaluations = history.evaluations
    try:
        key = evaluations.begin(plan, "benchmark")
        answers: list[Checked] = []

        def add(group: list[Checked]) -> None:
            answers.extend(group)
            evaluations.add(key, group)

        evaluator = Evaluator(runner, plan, add)
        await evaluator.check()
        clock = Clock(runner)
        await evaluator.run()
        history.flush()
        times = clock.read()
        assert len(answers) == plan.answers and all(it.error is None for it in answers)
        return times
    finally:
        history.close()


async def requests_of(runner: Runner, plan: Plan) -> list[tuple[int, Asked]]:
    """All that the suite asks, ready for the engine, by group."""
    evaluator = Evaluator(runner, plan, lambda answers: None)
    await evaluator.check()
    asked = await evaluator._asking.prepare(plan.groups())  # pyright: ignore[reportPrivateUsage]
    return [(group.number, it) for group, each in asked.items() for it in each]


async def bare_s(runner: Runner, asked: list[tuple[int, Asked]], *, wide: bool) -> Times:
    """Times of the engine alone."""
    requests: list[Request] = []
    for group, it in asked:
        assert it.ready
        number = 0 if wide else group
        requests.append(runner.request(it.ready, it.output, group=number, priority=BACKGROUND))
    model = asked[0][1].ready
    assert model
    clock, ended = Clock(runner), 0
    async for events in runner.engine.generate(model.model, requests):
        ended += sum(isinstance(event, Finished) for event in events)
    assert ended == len(requests)
    return clock.read()


async def measure(name: str, rounds: int) -> None:
    """Print seconds and ratios."""
    suite = load_suite(find_suite(name))
    plan = make_plan(suite, suite_variants(suite, Defaults()), suite_rows(suite), ModelSettings())
    print(f"{name}: {len(plan.rows)} rows, {len(plan.variants)} variants, {plan.answers} answers")
    with tempfile.TemporaryDirectory() as folder, Renderer() as renderer:
        engine = Engine(Path(folder) / "engine.log")
        runner = Runner(engine, renderer, cache_dir=Path(folder) / "cache")
        try:
            asked = await requests_of(runner, plan)
            pairs: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
            for number in range(rounds + 1):
                ours = await suite_s(runner, plan, Path(folder) / f"history{number}")
                bare = {wide: await bare_s(runner, asked, wide=wide) for wide in (False, True)}
                if number:  # the first warms up
                    print(
                        f"  suite {said(ours)} and {ours[2]:.1f} s for the rest; engine alone "
                        f"{said(bare[False])}, in batches of up to 32 {said(bare[True])}"
                    )
                    for wide, times in bare.items():
                        pairs[wide].append((times[0] / ours[0], times[1] / ours[1]))
        finally:
            await engine.close()
    for wide, ratios in pairs.items():
        what = "batches of up to 32" if wide else "the same batches"
        wall, worker = zip(*ratios, strict=True)
        print(
            f"  of the engine's rate in {what}: median {statistics.median(wall):.3f} "
            f"({min(wall):.3f}–{max(wall):.3f}) by the clock, {statistics.median(worker):.3f} "
            f"({min(worker):.3f}–{max(worker):.3f}) by processor time"
        )


def said(times: Times) -> str:
    """By the clock, and the engine's processor time."""
    return f"{times[0]:.2f} s ({times[1]:.1f} s of processor)"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=["sentiment", "support"])
    parser.add_argument("-n", type=int, default=5, metavar="ROUNDS")
    given = parser.parse_args()
    for each in given.suites:
        asyncio.run(measure(each, given.n))
