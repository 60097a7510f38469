"""What one call of a variant costs by itself: in a batch, answers wait for each other."""

from __future__ import annotations

import statistics
import time
from functools import partial

from ...models.engine.client import EngineError
from ...models.engine.protocol import BACKGROUND
from ..conversation import given_turns
from ..errors import MISTAKES
from ..run import Output
from ..runner import Runner, apply_event
from ..variants import Variant
from .pausing import Pause, once_more
from .plan import Plan
from .scoreboard import Pace

CALLS = 5


async def measure_paces(runner: Runner, plan: Plan, pause: Pause) -> dict[str, Pace]:
    """The first rows asked once more, one after the other; by the variant's name. A variant whose
    calls were paused, or that the engine died in, is begun anew.

    What prompts have in common with the one before is cached, as in use. Raises EngineError.
    """
    known = {
        variant.name: {it.name for it in variant.prompt.variables}
        | set(runner.renderer.template_variables(variant.prompt))
        for variant in plan.variants
    }
    found: dict[str, Pace] = {}
    for variant in plan.variants:
        calls = partial(_pace, runner, plan, variant, known[variant.name])
        found[variant.name] = await once_more(partial(pause.through, calls))
    return found


async def _pace(runner: Runner, plan: Plan, variant: Variant, known: set[str]) -> Pace:
    firsts: list[float] = []
    speeds: list[float] = []
    seconds: list[float | None] = []
    for row in plan.rows[:CALLS]:
        values = {name: text for name, text in row.values.items() if name in known}
        output = Output(variant, 0, 0)
        given_turns(output, row.turns)
        try:
            ready = await runner.prepare(variant, values, output=output)
        except MISTAKES:
            seconds.append(None)
            continue
        request = runner.request(ready, output, exact=plan.exact, priority=BACKGROUND)
        began = time.monotonic()
        async for events in runner.engine.generate(ready.model, [request]):
            for event in events:
                apply_event(output, event)
        if output.error and not output.refused:
            raise EngineError(output.error)
        seconds.append(None if output.error else time.monotonic() - began)
        if output.timings and output.timings.ttft_s is not None:
            firsts.append(output.timings.ttft_s)
        if output.timings and output.timings.tokens_per_s:
            speeds.append(output.timings.tokens_per_s)
    return Pace(
        len(firsts),
        statistics.median(firsts) if firsts else None,
        statistics.median(speeds) if speeds else None,
        tuple(seconds),
    )
