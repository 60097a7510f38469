"""What the worker holds on to: short runs with changing adapters, prompts and lengths.

    .venv/bin/python benchmarks/leak.py --shape 29M

Each run is four variants on a stack of up to two adapters at changing scales; one in eight is
cancelled. All are equally wide, so that the lanes have their full size within the first 100 runs;
the worker's resident memory and descriptors after all runs are set beside those after these.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
from files import adapter_stacks, file_options, model_file, models_of

from llamadiff.models.bench.bench import Bench, Stack
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import AdapterUse, Delta

BASE = 100
LAST = 20
"""Runs at the end of either part over which the resident memory is a median."""
VARIANTS = 4
SCALES = (0.25, 0.5, 1.0, 1.5)


async def short_run(bench: Bench, adapters: list[Stack], rng: random.Random) -> None:
    """One run to its end, or to a cancel after its first token."""
    stack: Stack = tuple(
        AdapterUse(use.path, rng.choice(SCALES), use.version)
        for (use,) in rng.sample(adapters, rng.randrange(3))
    )
    prompt = bench.prompt(rng.randint(1, 300))
    tokens = rng.randint(1, 16)
    requests = [
        bench.request(prompt, tokens, stack, seed=rng.randrange(1_000)) for _ in range(VARIANTS)
    ]
    cancelled = rng.randrange(8) == 0
    async for events in bench.engine.generate(bench.model, requests):
        if cancelled and any(isinstance(event, Delta) for event in events):
            bench.engine.cancel([request.id for request in requests])


async def measure(path: Path, adapters: list[Stack], runs: int) -> dict[str, Any]:
    """Resident bytes and descriptors of the worker after the first runs and after all."""
    rng = random.Random(1)
    resident: list[int] = []
    descriptors: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "engine.log")
        try:
            model = await engine.load(path)
            bench = Bench(engine, model, bare=None, ends=[])
            assert engine.pid is not None
            worker = psutil.Process(engine.pid)
            for i in range(runs):
                await short_run(bench, adapters, rng)
                resident.append(worker.memory_info().rss)
                descriptors.append(worker.num_fds())
                if sys.stderr.isatty():
                    print(f"\r{i + 1:,} runs", end="", file=sys.stderr, flush=True)
        finally:
            await engine.close()
    first = statistics.median(resident[BASE - LAST : BASE])
    last = statistics.median(resident[-LAST:])
    return {
        "runs": runs,
        "resident_first": first,
        "resident_last": last,
        "growth": last / first - 1,
        "descriptors_first": descriptors[BASE - 1],
        "descriptors_last": descriptors[-1],
    }


def main() -> None:
    parser = file_options(__doc__, rounds=1_000)
    options = parser.parse_args()
    if options.rounds <= BASE:
        parser.error(f"--rounds: the first {BASE} runs are the base; ask for more")
    document: list[dict[str, Any]] = []
    for shape, kind in models_of(options):
        path = model_file(options.files, shape, kind)
        adapters = adapter_stacks(options.files, shape)
        it = asyncio.run(measure(path, adapters, options.rounds))
        document.append({"shape": shape, "type": kind, **it})
        if not options.json:
            print(
                f"{shape} {kind}, {it['runs']:,} runs: resident {it['resident_first'] / 1e6:.1f} → "
                f"{it['resident_last'] / 1e6:.1f} MB ({it['growth']:+.1%}), descriptors "
                f"{it['descriptors_first']} → {it['descriptors_last']}"
            )
    if options.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
