"""The engine on models of known shapes, beside the bare loop and every other way to run them.

    .venv/bin/python benchmarks/engine.py --shape 143M --rounds 9
    .venv/bin/python benchmarks/engine.py --only decode --only variants --json

Every figure is a ratio of interleaved runs: ours, theirs, ours, theirs … All compute on the same
fixed number of threads, the engine's own choice for the model. llama-bench and llama-server are
those that `make` builds, or those on PATH; without them their figures are left out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
from files import adapter_stacks, file_options, model_file, models_of
from rivals import SLOTS, LlamaBench, high_level, server, tool

from llamadiff.models.bench import measure
from llamadiff.models.bench.bench import DEPTH, Bench, Stack, opened
from llamadiff.models.bench.figures import Figure, paired
from llamadiff.models.bench.jobs import even_chunks
from llamadiff.models.bench.measure import Measure
from llamadiff.models.gguf.check import check_model

BENCH_PROMPT = 512
"""llama-bench's own default."""


async def bare_prefill(bench: Bench) -> Figure:
    """The bare loop's prompt tokens per second, beside llama-bench."""
    rival = _llama_bench(bench)

    async def bare() -> float:
        assert bench.bare
        return BENCH_PROMPT / await bench.bare.seconds(even_chunks(BENCH_PROMPT))

    return await _beside(
        bench,
        f"bare loop, prefill of {BENCH_PROMPT}",
        "llama-bench",
        bare,
        lambda: rival.prefill(BENCH_PROMPT),
    )


async def bare_decode(bench: Bench) -> Figure:
    """The bare loop's tokens per second, beside llama-bench, which samples nothing."""
    rival = _llama_bench(bench)

    async def bare() -> float:
        assert bench.bare
        return await bench.bare.tokens_per_s(bench.tokens)

    return await _beside(
        bench,
        "bare loop, decode",
        "llama-bench",
        bare,
        lambda: rival.decode(bench.tokens),
    )


async def bench_prefill(bench: Bench) -> Figure:
    """The engine's cold prefill to the first token, beside llama-bench."""
    rival = _llama_bench(bench)

    return await _beside(
        bench,
        f"prefill, {bench.long:,} tokens",
        "llama-bench",
        bench.prefill_speed,
        lambda: rival.prefill(bench.long),
    )


async def high_level_decode(bench: Bench) -> Figure:
    """One stream of the engine, beside one of llama_cpp.Llama."""
    async with high_level(bench.model.path, bench.model.info.n_threads) as rival:
        return await _beside(
            bench,
            "decode, one stream",
            "Llama",
            bench.speed,
            lambda: rival.decode(bench.tokens, DEPTH),
        )


async def server_decode(bench: Bench) -> Figure:
    """One stream of the engine, beside one of llama-server."""
    return await _beside_server(bench, "decode, one stream", 1)


async def server_variants(bench: Bench) -> Figure:
    """Four variants of the engine, beside four slots of llama-server."""
    return await _beside_server(bench, f"{SLOTS} variants, one stack, total", SLOTS)


async def _beside_server(bench: Bench, title: str, streams: int) -> Figure:
    program = tool("llama-server")
    assert program
    info = bench.model.info
    async with server(program, bench.model.path, info.n_threads, info.n_vocab) as rival:
        return await _beside(
            bench,
            title,
            "llama-server",
            lambda: bench.variants_speed(streams),
            lambda: rival.decode(bench.tokens, DEPTH, streams),
        )


def _llama_bench(bench: Bench) -> LlamaBench:
    program = tool("llama-bench")
    assert program
    return LlamaBench(program, bench.model.path, bench.model.info.n_threads)


async def _beside(
    bench: Bench,
    title: str,
    against: str,
    ours: Callable[[], Awaitable[float]],
    theirs: Callable[[], Awaitable[float]],
) -> Figure:
    pairs = [(await ours(), await theirs()) for _ in range(bench.rounds)]
    return paired(title, "tokens/s", against, pairs)


BASE: dict[str, Measure] = {
    "bare_prefill": bare_prefill,
    "bare_decode": bare_decode,
    "prefill": measure.prefill,
    "bench_prefill": bench_prefill,
    "decode": measure.decode,
    "high_level_decode": high_level_decode,
    "server_decode": server_decode,
    "variants": measure.variants,
    "server_variants": server_variants,
    "first_token_edit": measure.edit,
    "cancel": measure.cancel,
}
"""On the base alone."""

ADAPTED: dict[str, Measure] = {
    "memory": measure.memory,
    "adapted_decode": measure.decode,
    "adapted_variants": measure.variants,
    "stacks": measure.stacks,
    "first_token_rescale": measure.rescale,
    "first_token_swap": measure.swap,
}
"""With four adapters, or the first of them where one is enough."""

NEEDS = {
    "bare_prefill": "llama-bench",
    "bare_decode": "llama-bench",
    "bench_prefill": "llama-bench",
    "server_decode": "llama-server",
    "server_variants": "llama-server",
}


def _chosen(table: dict[str, Measure], only: list[str]) -> dict[str, Measure]:
    """What was asked for, of what can be measured here."""
    chosen = {name: figure for name, figure in table.items() if not only or name in only}
    for name in [name for name in chosen if name in NEEDS and not tool(NEEDS[name])]:
        program = NEEDS[name]
        print(f"{name} is left out: `make .venv/{program}` builds {program}", file=sys.stderr)
        del chosen[name]
    return chosen


async def figures(
    path: Path, adapters: list[Stack], only: list[str], rounds: int, tokens: int
) -> AsyncIterator[tuple[str, Figure]]:
    """The figures asked for of one model, each as it is known."""
    base: list[Stack] = [()]
    for table, stacks in ((BASE, base), (ADAPTED, adapters)):
        chosen = _chosen(table, only)
        if not chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "engine.log"
            facts = check_model(path)
            async with opened(facts, stacks, log_path=log, rounds=rounds, tokens=tokens) as bench:
                if bench.bare is None:
                    sys.exit(f"there is no memory for {path.name} twice")
                async with aclosing(measure.measure(bench, chosen, lambda _: None)) as measured:
                    async for name, figure in measured:
                        yield name, figure


async def main() -> None:
    parser = file_options(__doc__, rounds=7)
    names = [*BASE, *ADAPTED]
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"one figure; repeat for several: {', '.join(names)}",
    )
    parser.add_argument("--tokens", type=int, default=128, help="length of a stream [128]")
    options = parser.parse_args()
    progress = sys.stderr if options.json else sys.stdout
    document: list[dict[str, Any]] = []
    for shape, kind in models_of(options):
        path = model_file(options.files, shape, kind)
        adapters = adapter_stacks(options.files, shape)
        entry: dict[str, Any] = {"shape": shape, "type": kind, "figures": {}}
        document.append(entry)
        print(f"{shape} {kind}", file=progress)
        wanted = figures(path, adapters, options.only or [], options.rounds, options.tokens)
        async with aclosing(wanted) as measured:
            async for name, figure in measured:
                entry["figures"][name] = msgspec.to_builtins(figure)
                print(_line(name, figure), file=progress, flush=True)
    if options.json:
        print(json.dumps(document, indent=2))


def _line(name: str, figure: Figure) -> str:
    """Ours, theirs, the median ratio with its ends, and for times the difference."""
    scale, unit = (1e-6, "MB") if figure.unit == "bytes" else (1, figure.unit)
    value, apart = figure.value, figure.difference
    line = f"  {name:20} {figure.title:36} {value.median * scale:9,.1f} {unit}"
    if figure.reference is None or figure.ratio is None or apart is None:
        return f"{line} ({value.min:.1f}–{value.max:.1f})"
    line += f" {figure.reference.median * scale:9,.1f} {figure.against:12} {figure.ratio}"
    if unit == "ms":
        line += f" {apart.median:+.1f} ms ({apart.min:+.1f} – {apart.max:+.1f})"
    return line


if __name__ == "__main__":
    asyncio.run(main())
