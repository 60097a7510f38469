"""Scores what rows expect: how likely each variant finds it, nothing sampled."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import (
    BACKGROUND,
    AdapterUse,
    Failed,
    Scored,
    ScoreRequest,
    file_version,
)
from ..prepare import answer_tokens
from ..runner import Runner
from .answers import Asked
from .plan import Plan


async def score(runner: Runner, plan: Plan, asked: Sequence[Asked]) -> None:
    """Fill in the `logprob` of answers whose rows expect something that fits into the context.

    Raises EngineError.
    """
    engine = runner.engine
    texts: dict[tuple[int, str], list[Asked]] = {}
    for it in asked:
        if it.ready is not None and plan.rows[it.place].expected:
            texts.setdefault((it.place, it.output.variant.name), []).append(it)
    by_model: dict[int, tuple[LoadedModel, dict[int, list[Asked]], list[ScoreRequest]]] = {}
    for (place, _), them in texts.items():
        ready, variant = them[0].ready, them[0].output.variant
        assert ready is not None
        tokens = await answer_tokens(engine, ready.chat, plan.rows[place].expected or "")
        before = ready.tokens.tokens
        if not before or len(before) + len(tokens) > ready.model.info.n_ctx:
            continue
        request = ScoreRequest(
            engine.new_id(),
            [*before, *tokens],
            len(before),
            tuple(AdapterUse(str(a.path), a.scale, file_version(a.path)) for a in variant.adapters),
            exact=plan.exact,
            priority=BACKGROUND,
        )
        _, heard, requests = by_model.setdefault(ready.model.key, (ready.model, {}, []))
        heard[request.id] = them
        requests.append(request)

    async def stream(
        model: LoadedModel, heard: dict[int, list[Asked]], requests: list[ScoreRequest]
    ) -> None:
        found: dict[int, list[float]] = {}
        async for events in engine.score(model, requests):
            for event in events:
                if isinstance(event, Scored):
                    found.setdefault(event.id, []).extend(t.logprob for t in event.logprobs)
                elif isinstance(event, Failed) and not event.refused:
                    raise EngineError(event.message)
        for number, logprobs in found.items():
            for it in heard[number]:
                it.logprob = math.fsum(logprobs) / len(logprobs)

    await all_of(stream(*each) for each in by_model.values())


async def all_of(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, be they well or not; then raise the first one's error."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
