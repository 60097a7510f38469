"""Carry out a run for a command: an engine and a renderer that are closed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version

from ...compare.conversation import reply_to
from ...compare.errors import CompareError
from ...compare.history.history import History
from ...compare.run import Output, Run, new_run
from ...compare.runner import Runner
from ...compare.variants import Variant
from ...models.engine.client import Engine, EngineError
from ...prompts.rendering.helper import Renderer
from ..config.current import configured, history_days
from ..paths import cache_dir, log_dir, prompts_cache, state_dir
from ..safe_text import safe_line
from .asked import Asked
from .printing import note

HASHING_S = 1.0
"""How long a run that is over is held up by the hashes of its files, where only the history is to
have them. Those of large files are known once something has waited for them."""


@asynccontextmanager
async def runner(asked: Asked) -> AsyncIterator[Runner]:
    """A runner for the settings asked for; its processes end with the block."""
    prompts = prompts_cache() if asked.history else None
    memory = configured().config.memory_bytes
    engine = Engine(log_dir() / "engine.log", prompts=prompts, memory=memory)
    with Renderer() as renderer:
        renderer.warm()
        try:
            yield Runner(
                engine,
                renderer,
                cache_dir=cache_dir(),
                settings=asked.settings(),
                own=asked.own_settings(),
            )
        finally:
            await engine.close()


@contextmanager
def recorded(asked: Asked, run: Run) -> Iterator[None]:
    """Keep the run in the history as it goes on; complete when the block ends."""
    if not asked.history:
        yield
        return
    with open_history() as history:
        history.begin(run)
        try:
            yield
        finally:
            history.end(run)
            retire(history)


def retire(history: History) -> None:
    """Remove what is older than the person wants to keep. Raises CompareError."""
    days = history_days()
    if days is not None:
        from .. import removing

        removing.retire(history, prompts_cache(), days)


@contextmanager
def open_history() -> Iterator[History]:
    """The history; a trouble it has is a line on stderr, and no reason to do anything less."""
    troubles: list[str] = []
    history = History(state_dir(), version("llamadiff"), troubles.append)
    try:
        yield history
    finally:
        history.close()
    for said in troubles:
        note(f"llamadiff: {safe_line(said)}")


def carry_out(
    asked: Asked,
    *,
    repeats: int = 1,
    logprobs: int = 0,
    hashes: bool = False,
    on_change: Callable[[Run, Output, str], None] | None = None,
    change: Callable[[list[Variant]], list[Variant]] | None = None,
    after: Callable[[Runner, Run], Awaitable[None]] | None = None,
) -> Run:
    """Run all variants once, wait for them, and keep them in the history unless asked not to.

    Raises a mistake in what was asked for, before anything is generated if it can be known
    then. An output the engine failed on holds its `error`. With `hashes` the stamps are complete.
    With `change` the variants it gives are run in place of those asked for; `after` is done with
    the finished run while the models are still there.
    """
    run = _made(asked, repeats, logprobs, change)
    return _carry_out(asked, run, (), hashes, on_change, after)[0]


def carry_out_run(
    asked: Asked,
    run: Run,
    *,
    hashes: bool = False,
    on_change: Callable[[Run, Output, str], None] | None = None,
) -> Run:
    """As `carry_out`, for a run that was made; of what is asked for the settings apply."""
    return _carry_out(asked, run, (), hashes, on_change)[0]


def converse(
    asked: Asked,
    replies: Sequence[str],
    *,
    repeats: int = 1,
    logprobs: int = 0,
    hashes: bool = False,
    on_change: Callable[[Run, Output, str], None] | None = None,
) -> list[Run]:
    """As `carry_out`, and then a run for each reply, which goes on with the one before it.

    A run that the engine failed in is the last.
    """
    return _carry_out(asked, _made(asked, repeats, logprobs), replies, hashes, on_change)


def _made(
    asked: Asked,
    repeats: int,
    logprobs: int,
    change: Callable[[list[Variant]], list[Variant]] | None = None,
) -> Run:
    variants = asked.make_variants()  # on no thread: ctrl+c ends the conversion of an adapter
    variants = change(variants) if change else variants
    return new_run(variants, asked.values, repeats=repeats, exact=asked.exact, logprobs=logprobs)


def _carry_out(
    asked: Asked,
    first: Run,
    replies: Sequence[str],
    hashes: bool,
    on_change: Callable[[Run, Output, str], None] | None,
    after: Callable[[Runner, Run], Awaitable[None]] | None = None,
) -> list[Run]:
    said = set[str]()

    async def work(it: Runner, run: Run) -> None:
        with recorded(asked, run):
            await it.run(
                run,
                strict=not any(output.follows for output in run.outputs),
                on_change=on_change and partial(on_change, run),
            )
            for sentence in await asyncio.to_thread(it.odd, run.variants):
                if sentence not in said:
                    note(sentence)
                said.add(sentence)
            hashing = asyncio.create_task(it.hash_files(run))
            await asyncio.wait({hashing}, timeout=None if hashes else HASHING_S)
        raise_refused(run)

    async def work_on() -> list[Run]:
        runs = [first]
        async with runner(asked) as it:
            await work(it, first)
            if after is not None:
                await after(it, first)
            for reply in replies:
                if any(output.error for output in runs[-1].outputs):
                    break
                runs.append(reply_to(runs[-1], reply))
                await work(it, runs[-1])
        return runs

    return asyncio.run(work_on())


def raise_refused(run: Run) -> None:
    """Raise CompareError if an output was refused for what was asked."""
    refused = next((output for output in run.outputs if output.refused), None)
    if refused is not None:
        raise CompareError(f"{refused.variant.name}: {refused.error}")


def raise_failed(run: Run) -> None:
    """Raise EngineError if the engine failed on an output; call once all has been printed."""
    failed = next((output for output in run.outputs if output.error), None)
    if failed is not None:
        raise EngineError(f"{failed.variant.name}: {failed.error}")
