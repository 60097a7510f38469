"""Measures what an evaluation says beside its scores, once all of its answers are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..runner import Runner
from .answers import Checked
from .decision.build import adapters_of
from .decision.elsewhere import Other, run_elsewhere, stacks_of
from .decision.figures import Elsewhere
from .measured import Measured
from .pace import measure_paces
from .pausing import Pause
from .plan import Plan


async def measure(
    runner: Runner,
    plan: Plan,
    answers: Sequence[Checked],
    others: Sequence[Other],
    before: Measured,
    keep: Callable[[Measured], None],
    on_progress: Callable[[str, float], None] = lambda suite, share: None,
    *,
    missing: Sequence[str] = (),
    pause: Pause | None = None,
) -> Measured:
    """What calls take by themselves, how adapters were trained, and what they do on the `others`.

    What was measured `before` is not measured again; `keep` is given all there is after each step,
    so that one that is stopped goes on there. `on_progress` is told another suite's name and how
    much of it is done. `missing` are sentences on suites that are not among the others; what was
    measured of those stays. Raises EngineError.
    """
    pause = pause or Pause()
    found = replace(before, adapters=await asyncio.to_thread(adapters_of, plan))
    if plan.generates and not found.paces:
        found = replace(found, paces=await measure_paces(runner, plan, pause))
    keep(found)

    def add(elsewhere: list[Elsewhere]) -> None:
        nonlocal found
        found = replace(found, elsewhere=tuple(elsewhere))
        keep(found)

    stacks = await asyncio.to_thread(stacks_of, plan, answers)
    elsewhere, problems = await run_elsewhere(
        runner, others, stacks, on_progress, before=before.elsewhere, on_found=add, pause=pause
    )
    return replace(found, elsewhere=tuple(elsewhere), problems=(*missing, *problems))
