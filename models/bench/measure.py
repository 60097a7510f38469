"""The figures: the real engine, from client to client, beside the bare loop and beside itself.

What is compared is run in turn, A B A B …, and judged by the ratio of each pair: a machine's
speed drifts by more than what is to be seen.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from ..engine.client import EngineError
from ..engine.protocol import AdapterUse, Failed, Finished
from .bench import CHANGED, DEPTH, Bench, Stack
from .figures import Figure, alone, paired
from .jobs import even_chunks

BUFFER = re.compile(rb"(KV|compute|output) buffer size = +([0-9.]+) MiB")
"""How llama.cpp logs the memory of a context, once each but for compute."""

Measure = Callable[[Bench], Awaitable[Figure]]


async def measure(
    bench: Bench, figures: Mapping[str, Measure], on_begin: Callable[[str], None]
) -> AsyncIterator[tuple[str, Figure]]:
    """Each figure by its name, as it is known; `on_begin` is told the name before.

    Raises EngineError or ModelError.
    """
    warm = False
    for name, figure in figures.items():
        on_begin(name)
        if figure is not memory and not warm:
            await bench.warm_up()
            warm = True
        yield name, await figure(bench)


def usual_figures(bench: Bench) -> dict[str, Measure]:
    """What is measured of a person's own model. Memory needs an engine that is new."""
    figures: dict[str, Measure] = {}
    if bench.model.info.backend == "CPU":
        figures["memory"] = memory
    figures |= {"prefill": prefill, "decode": decode, "variants": variants}
    if bench.stack:
        figures |= {"stacks": stacks, "first_token_rescale": rescale}
    return figures | {"first_token_edit": edit, "cancel": cancel}


async def memory(bench: Bench) -> Figure:
    """Resident memory with a lane for each stack.

    Set against its parts: what was resident with the model alone, the adapter files, and the
    buffers that llama.cpp logs. Call it before anything else is asked of the engine.
    """
    import psutil

    pid = bench.engine.pid
    if pid is None:
        raise EngineError("The engine is not running.")
    worker = psutil.Process(pid)
    base = worker.memory_info().rss
    logged = bench.engine.log_path.stat().st_size
    prompt = bench.prompt(bench.long)
    await bench.listen(*(bench.request(prompt, 2, stack) for stack in bench.stacks))
    with bench.engine.log_path.open("rb") as log:
        log.seek(logged)
        buffers = _buffer_bytes(log.read())
    files = {use.path for stack in bench.stacks for use in stack}
    parts = base + buffers + sum(Path(path).stat().st_size for path in files)
    count = len(bench.stacks)
    title = f"memory, {count} stack{'s' if count > 1 else ''}"
    return paired(title, "bytes", "parts", [(worker.memory_info().rss, parts)])


def _buffer_bytes(log: bytes) -> float:
    """Bytes of all contexts: their KV caches, outputs, and as many of the largest compute buffer.

    A context logs its compute buffer again whenever its adapters change.
    """
    found: dict[bytes, list[float]] = {b"KV": [], b"compute": [0.0], b"output": []}
    for kind, mebibytes in BUFFER.findall(log):
        found[kind].append(float(mebibytes) * 2**20)
    contexts = len(found[b"KV"])
    return sum(found[b"KV"]) + sum(found[b"output"]) + contexts * max(found[b"compute"])


async def prefill(bench: Bench) -> Figure:
    """Prompt tokens per second until the first token, nothing cached."""
    title = f"prefill, {bench.long:,} tokens"
    pairs: list[tuple[float, float]] = []
    values: list[float] = []
    for _ in range(bench.rounds):
        values.append(await bench.prefill_speed())
        if bench.bare:
            bare = bench.long / await bench.bare.seconds(even_chunks(bench.long))
            pairs.append((values[-1], bare))
    return _beside_bare(title, values, pairs)


async def decode(bench: Bench) -> Figure:
    """Tokens per second of one stream."""
    return await _speed(bench, "decode, one stream", 1)


async def variants(bench: Bench) -> Figure:
    """Tokens per second of several variants on one stack."""
    count = bench.variants
    return await _speed(bench, f"{count} variants, one stack, total", count)


async def _speed(bench: Bench, title: str, count: int) -> Figure:
    pairs: list[tuple[float, float]] = []
    values: list[float] = []
    for _ in range(bench.rounds):
        values.append(await bench.variants_speed(count))
        if bench.bare:
            pairs.append((values[-1], await bench.bare.tokens_per_s(bench.tokens, count, DEPTH)))
    return _beside_bare(title, values, pairs)


def _beside_bare(title: str, values: list[float], pairs: list[tuple[float, float]]) -> Figure:
    if pairs:
        return paired(title, "tokens/s", "bare", pairs)
    return alone(title, "tokens/s", values)


async def stacks(bench: Bench) -> Figure:
    """Tokens per second of one variant on each stack, beside the harmonic mean of each alone."""
    pairs: list[tuple[float, float]] = []
    for _ in range(bench.rounds):
        together = await bench.stacks_speed()
        apart = [await bench.speed(stack) for stack in bench.stacks]
        pairs.append((together, statistics.harmonic_mean(apart)))
    title = f"{len(bench.stacks)} variants, {len(bench.stacks)} stacks, total"
    return paired(title, "tokens/s", "alone", pairs)


async def edit(bench: Bench) -> Figure:
    """Milliseconds to the first token after the end of a long prompt was changed."""
    pairs: list[tuple[float, float]] = []
    for _ in range(bench.rounds):
        prompt = bench.prompt(bench.long)
        cold = await bench.first_ms(prompt)
        edited = prompt[:-CHANGED] + bench.prompt(CHANGED)
        pairs.append((await bench.first_ms(edited), cold))
    title = f"first token, {CHANGED} of {bench.long:,} changed"
    return paired(title, "ms", "cold", pairs)


async def rescale(bench: Bench) -> Figure:
    """Milliseconds to the first token of the same prompt at another scale."""

    def changed(i: int) -> Stack:
        first, *rest = bench.stack
        scale = first.scale * (1 - 0.01 * (i + 1))
        return (AdapterUse(first.path, scale, first.version), *rest)

    return await _switch(bench, "scale", changed)


async def swap(bench: Bench) -> Figure:
    """Milliseconds to the first token of the same prompt with another adapter."""

    def changed(i: int) -> Stack:
        (use, *rest) = bench.stacks[1 + i % (len(bench.stacks) - 1)]
        return (AdapterUse(use.path, use.scale * (1 + 0.01 * (i + 1)), use.version), *rest)

    return await _switch(bench, "adapter", changed)


async def _switch(bench: Bench, what: str, changed: Callable[[int], Stack]) -> Figure:
    """A long prompt on stacks never used before, each beside a cold one on the stack in use."""
    pairs: list[tuple[float, float]] = []
    for i in range(bench.rounds):
        prompt = bench.prompt(bench.long)
        cold = await bench.first_ms(prompt)
        pairs.append((await bench.first_ms(prompt, changed(i)), cold))
    title = f"first token, another {what}"
    return paired(title, "ms", "cold", pairs)


async def cancel(bench: Bench) -> Figure:
    """Milliseconds from a cancel, somewhere in a long prefill, to the end of the stream."""
    cold_s = await bench.first_ms(bench.prompt(bench.long)) / 1000
    values: list[float] = []
    while len(values) < bench.rounds:
        if latency := await _cancelled_ms(bench, cold_s * bench.random.uniform(0.1, 0.8)):
            values.append(latency)
        else:
            cold_s *= 0.8
    return alone(f"cancel in a prefill of {bench.long:,}", "ms", values)


async def _cancelled_ms(bench: Bench, after_s: float) -> float | None:
    """The time a cancel takes, or None when the prefill was over before it."""
    request = bench.request(bench.prompt(bench.long), 2)
    asked = 0.0

    def ask() -> None:
        nonlocal asked
        asked = time.perf_counter()
        bench.engine.cancel([request.id])

    timer = asyncio.get_running_loop().call_later(after_s, ask)
    try:
        async for events in bench.engine.generate(bench.model, [request]):
            for event in events:
                if isinstance(event, Failed):
                    raise EngineError(event.message)
                if isinstance(event, Finished):
                    if event.reason != "cancelled":
                        return None
                    return 1000 * (time.perf_counter() - asked)
    finally:
        timer.cancel()
    return None
