"""Measures how often the noise floor is wrong: A against A, and adapters that do make a difference.

    .venv/bin/python benchmarks/noise.py

Runs the bundled model on two prompts at two temperatures, many seeds each. A against A: every two
blocks of n outputs with different seeds, as though they were two variants. Power: blocks of n outputs
of the base and of an adapter at several scales, with the same seeds. Printed is how many are beyond
noise.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from llamadiff.compare.control import control
from llamadiff.compare.run import Output, new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.rendering.helper import Renderer

SIZES = (6, 8, 16)
SCALES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
SETTINGS = [(p, t) for p in ("tell-me-about", "support") for t in ("0.7", "1")]


async def _outputs(
    runner: Runner, prompt: str, temperature: str, seeds: int
) -> dict[str, Sequence[Output]]:
    """By the adapter's scale, `0` for the base."""
    specs = ["adapter=none", *(f"adapter=support@{scale}" for scale in SCALES)]
    them = make_variants(Defaults(prompt=prompt, sampling={"temperature": temperature}), specs)
    run = new_run(them, {}, repeats=seeds)
    await runner.run(run, strict=True)
    return {scale: run.of(it) for scale, it in zip(("0", *map(str, SCALES)), them, strict=True)}


def _beyond(a: Sequence[Output], b: Sequence[Output]) -> bool:
    return control({"A": a, "B": b}, "A").contrasts["B"].within is False


def _blocks(outputs: Sequence[Output], size: int) -> list[Sequence[Output]]:
    return [outputs[i : i + size] for i in range(0, len(outputs) - size + 1, size)]


def _rows(found: Sequence[dict[str, Sequence[Output]]]) -> Iterator[tuple[str, list[str]]]:
    yield (
        "A against A",
        [
            _share(
                _beyond(*pair)
                for them in found
                for pair in combinations(_blocks(them["0"], size), 2)
            )
            for size in SIZES
        ],
    )
    for scale in map(str, SCALES):
        yield (
            f"support@{scale}",
            [
                _share(
                    _beyond(a, b)
                    for them in found
                    for a, b in zip(
                        _blocks(them["0"], size), _blocks(them[scale], size), strict=True
                    )
                )
                for size in SIZES
            ],
        )


def _share(judged: Iterator[bool]) -> str:
    them = list(judged)
    return f"{sum(them)} of {len(them)}"


async def _measure(seeds: int) -> None:
    found: list[dict[str, Sequence[Output]]] = []
    with tempfile.TemporaryDirectory() as folder, Renderer() as renderer:
        engine = Engine(log_path=Path(folder) / "engine.log")
        try:
            runner = Runner(engine, renderer, cache_dir=Path(folder))
            for prompt, temperature in SETTINGS:
                found.append(await _outputs(runner, prompt, temperature, seeds))
        finally:
            await engine.close()
    print("| outputs of either |", " | ".join(map(str, SIZES)), "|")
    for title, cells in _rows(found):
        print("|", " | ".join((title, *cells)), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=96, help="outputs of each variant")
    asyncio.run(_measure(parser.parse_args().seeds))


if __name__ == "__main__":
    main()
