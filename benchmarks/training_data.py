"""How long rows to train on take: read, made into tokens, checked against a suite, split.

    .venv/bin/python benchmarks/training_data.py -n 3

10,000 rows under the prompt `sentiment`, on the bundled model. Processor time is that of this process,
of the engine's and of the template helper's; where other programs take the cores it says more than
the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.shipped import SHIPPED, find_suite
from llamadiff.compare.runner import Runner
from llamadiff.compare.training_data.checking import Data
from llamadiff.compare.training_data.examples import read_examples
from llamadiff.compare.training_data.leakage import held_out
from llamadiff.compare.training_data.splitting import split
from llamadiff.compare.training_data.tokens import prepare
from llamadiff.models.catalog import default_model
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.library import Library, resolve
from llamadiff.prompts.rendering.helper import Renderer

ROWS = 10_000
Times = dict[str, list[tuple[float, float]]]


def write_rows(folder: Path) -> Path:
    """The shipped reviews again and again, each with a number."""
    shipped = [json.loads(line) for line in (SHIPPED / "sentiment.jsonl").open()]
    path = folder / "rows.jsonl"
    with path.open("w") as file:
        for number in range(ROWS):
            row = shipped[number % len(shipped)]
            print(json.dumps({**row, "review": f"{row['review']} {number}"}), file=file)
    return path


def processor_s() -> float:
    """Processor time of this process and its children, so far."""
    them = [psutil.Process(), *psutil.Process().children()]
    return sum(sum(it.cpu_times()[:2]) for it in them)


@contextmanager
def timed(times: Times, what: str) -> Iterator[None]:
    wall, processor = time.perf_counter(), processor_s()
    yield
    now = time.perf_counter() - wall, processor_s() - processor
    times.setdefault(what, []).append(now)


async def measure(folder: Path, times: Times) -> None:
    """All steps once, on a new engine: it remembers the tokens of texts."""
    engine = Engine(folder / "engine.log")
    model = await engine.load(default_model().facts.path)
    file = write_rows(folder)
    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=folder)
        suite = held_out(load_suite(find_suite("sentiment")), Library(), renderer)
        with timed(times, "read"):
            source = read_examples(file, resolve("sentiment"), renderer)
        with timed(times, "rendered, tokenized"):
            prepared = await prepare(runner, model, source)
        with timed(times, "checked"):
            data = Data(prepared, 1024)
            report = data.check([suite])
        with timed(times, "split"):
            split(data.usable, data.classes, share=0.1, seed=0)
        assert report.usable == ROWS
    await engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3, help="times [3]")
    times: Times = {}
    for _ in range(parser.parse_args().n):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(Path(folder), times))
    for what, them in times.items():
        wall, processor = (statistics.median(each) for each in zip(*them, strict=True))
        print(f"{what:20} {wall:6.2f} s by the clock, {processor:6.2f} s of processor time")


if __name__ == "__main__":
    main()
