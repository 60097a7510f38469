"""Carry out a run for a command: an engine and a renderer that are closed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from ...compare.errors import CompareError
from ...compare.run import Output, Run, new_run
from ...compare.runner import Runner
from ...compare.variants import Variant
from ...models.engine.client import Engine, EngineError
from ...models.engine.protocol import Hello
from ...prompts.rendering.helper import Renderer
from ..paths import cache_dir, log_dir
from .options import Asked
from .printing import note


@asynccontextmanager
async def runner(asked: Asked) -> AsyncIterator[Runner]:
    """A runner for the settings asked for; its processes end with the block."""
    engine = Engine(log_dir() / "engine.log", prompts=cache_dir() / "prompts")
    with Renderer() as renderer:
        renderer.warm()
        try:
            yield Runner(engine, renderer, cache_dir=cache_dir(), settings=asked.settings())
        finally:
            await engine.close()


def carry_out(
    asked: Asked,
    *,
    repeats: int = 1,
    logprobs: int = 0,
    hashes: bool = False,
    on_change: Callable[[Run, Output, str], None] | None = None,
    change: Callable[[list[Variant]], list[Variant]] | None = None,
) -> tuple[Run, Hello | None]:
    """Run all variants once and wait for them.

    Raises a mistake in what was asked for, before anything is generated if it can be known
    then. An output the engine failed on holds its `error`. With `hashes` the stamps are complete.
    With `change` the variants it gives are run in place of those asked for.
    """

    made = asked.make_variants()  # on no thread: ctrl+c ends the conversion of an adapter

    async def work() -> tuple[Run, Hello | None]:
        variants = change(made) if change else made
        run = new_run(variants, asked.values, repeats=repeats, exact=asked.exact, logprobs=logprobs)
        async with runner(asked) as it:
            await it.run(run, strict=True, on_change=on_change and partial(on_change, run))
            for sentence in await asyncio.to_thread(it.odd, run.variants):
                note(sentence)
            if hashes:
                await it.hash_files(run)
            hello = it.engine.hello
        refused = next((output for output in run.outputs if output.refused), None)
        if refused is not None:
            raise CompareError(f"{refused.variant.name}: {refused.error}")
        return run, hello

    return asyncio.run(work())


def raise_failed(run: Run) -> None:
    """Raise EngineError if the engine failed on an output; call once all has been printed."""
    failed = next((output for output in run.outputs if output.error), None)
    if failed is not None:
        raise EngineError(f"{failed.variant.name}: {failed.error}")
