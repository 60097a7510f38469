"""What adapters do to other tasks: their stacks on other suites, beside the base alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....models.engine.client import EngineError
from ...errors import MISTAKES, CompareError
from ...runner import Runner
from ...spec import Defaults
from ...statistics.means import estimate
from ...statistics.noise import noise_floor
from ...statistics.verdict import ALPHA, decide
from ...variants import StackedAdapter, variant_names
from ..answers import Checked
from ..evaluator import Evaluator, Progress
from ..judging import suite_judges
from ..pausing import Pause
from ..plan import Plan, make_plan
from ..reading import load_suite
from ..rows import suite_rows
from ..shipped import find_suite
from ..suite import Suite
from ..variants import suite_variants
from .build import chosen_of, stack_name
from .choosing import Scores
from .figures import Elsewhere
from .sides import stack_of

MOST_ROWS = 200
"""Of a longer suite so many rows are run, the first ones in the order that its seed draws."""
INSTRUCTIONS = "instructions"
"""The file of a suite about changed instructions begins with this."""


@dataclass(frozen=True)
class Other:
    """Another suite with its baseline on the base alone, ready to be run with any stack."""

    suite: Suite
    plan: Plan


def others_of(
    plan: Plan, defaults: Defaults, folders: Sequence[Path] = (), *, allow_code: bool = False
) -> list[Other]:
    """The suites that the plan's suite names, with their own plain prompts, on the plan's model.

    A person's own are in the `folders`. Where the plan has fewer rows than planned, so has each of
    them. Raises what is wrong with them, as reading a suite does.
    """
    return [_other(plan, defaults, name, folders, allow_code) for name in plan.suite.elsewhere]


def others_left(
    plan: Plan, defaults: Defaults, folders: Sequence[Path]
) -> tuple[list[Other], list[str]]:
    """As `others_of` with `allow_code`, with a sentence for each suite that is not as it was."""
    found: list[Other] = []
    missing: list[str] = []
    for name in plan.suite.elsewhere:
        try:
            found.append(_other(plan, defaults, name, folders, allow_code=True))
        except MISTAKES as mistake:
            missing.append(f"{Path(name).stem} is left as it was: {mistake}")
    return found, missing


def _other(
    plan: Plan, defaults: Defaults, name: str, folders: Sequence[Path], allow_code: bool
) -> Other:
    path = find_suite(name, folders)
    rows = len(plan.rows) if len(plan.rows) < plan.planned else MOST_ROWS
    if path.resolve() == plan.suite.path.resolve():
        raise CompareError(f"{plan.suite.path}: elsewhere names the suite itself; leave it out.")
    suite = load_suite(path)
    if suite.code and not allow_code:
        raise CompareError(
            f"{suite.path}, which {plan.suite.path.name} names as elsewhere, checks answers with "
            "Python code; give --allow-code if you trust it."
        )
    specs = [it for it in suite.variants if it.label == suite.baseline] or list(suite.variants)
    axes = {
        key: values[:1]
        for key, values in specs[0].axes.items()
        if key not in ("adapter", "scale", "model")
    }
    spec = replace(specs[0], axes={**axes, "adapter": ("none",)})
    plain = replace(suite, variants=(spec,), baseline="", require=())
    model = str(plan.baseline.model)
    wanted = replace(defaults, model=model, prompt=None, adapters=(), sampling={}, user=None)
    variants = suite_variants(plain, wanted)
    found = suite_rows(suite)[: min(MOST_ROWS, rows)]
    judges = suite_judges(plain, wanted)
    made = make_plan(
        replace(plain, planned=len(found)), variants, found, plan.settings,
        exact=plan.exact, judges=judges,
    )  # fmt: skip
    return Other(suite, made)


def stacks_of(plan: Plan, answers: Sequence[Checked]) -> list[tuple[StackedAdapter, ...]]:
    """The stacks of the variants that stand for their kinds, each once."""
    chosen = chosen_of(plan, answers)
    if chosen is None:
        return []
    stacks = (stack_of(it) for it in chosen.variants.values())
    return list(dict.fromkeys(it for it in stacks if it))


async def run_elsewhere(
    runner: Runner,
    others: Sequence[Other],
    stacks: Sequence[tuple[StackedAdapter, ...]],
    on_progress: Callable[[str, float], None] = lambda suite, share: None,
    *,
    before: Sequence[Elsewhere] = (),
    on_found: Callable[[list[Elsewhere]], None] = lambda found: None,
    pause: Pause | None = None,
) -> tuple[list[Elsewhere], list[str]]:
    """Each stack on each suite against the base, and a sentence for each suite that failed.

    All comparisons share ALPHA. What was found `before` of the same suites with the same files is
    taken as it is, and so is that of suites which are not among the `others`; `on_found` is given
    all there is after each suite.
    """
    asked = [(other, _with_stacks(other.plan, stacks)) for other in others if stacks]
    marks = {it.suite.name: await asyncio.to_thread(plan.fingerprint) for it, plan in asked}
    found = [it for it in before if marks.get(it.suite, it.mark) == it.mark]
    known = {it.suite for it in found}
    problems: list[str] = []
    alpha = ALPHA / max(1, len(others) * len(stacks))
    for other, plan in asked:
        name = other.suite.name
        if name in known:
            continue
        try:
            found += await _run(
                runner, other, plan, marks[name], alpha, on_progress, pause or Pause()
            )
        except (*MISTAKES, EngineError) as error:
            problems.append(f"{name} could not be run: {error}")
        on_found(found)
    return found, problems


def _with_stacks(plan: Plan, stacks: Sequence[tuple[StackedAdapter, ...]]) -> Plan:
    """With the baseline, and it under each stack."""
    base = replace(plan.baseline, name=next(names := iter(variant_names())), label="")
    tuned = [
        replace(base, name=name, adapters=stack, label=stack_name(stack))
        for name, stack in zip(names, stacks, strict=False)
    ]
    return replace(plan, variants=(base, *tuned), baseline=base)


async def _run(
    runner: Runner,
    other: Other,
    plan: Plan,
    mark: str,
    alpha: float,
    on_progress: Callable[[str, float], None],
    pause: Pause,
) -> list[Elsewhere]:
    answers: list[Checked] = []

    def tell(it: Progress) -> None:
        on_progress(other.suite.name, it.answers / it.of)

    await Evaluator(runner, plan, answers.extend, tell, pause).run()
    return await asyncio.to_thread(_found, other, plan, answers, mark, alpha)


def _found(
    other: Other, plan: Plan, answers: Sequence[Checked], mark: str, alpha: float
) -> list[Elsewhere]:
    scores = Scores(plan, answers)
    base, *tuned = (scores.table(it, scores.rows) for it in plan.variants)
    floor = noise_floor(base, plan.repeats).interval.high
    return [
        Elsewhere(
            other.suite.name,
            other.suite.path.stem.startswith(INSTRUCTIONS),
            variant.label,
            estimate(base),
            estimate(table),
            decide(table, base, planned=plan.planned, alpha=alpha, margin=other.suite.margin),
            mark,
            max(floor, noise_floor(table, plan.repeats).interval.high)
            if plan.repeats > 1
            else None,
        )
        for variant, table in zip(plan.variants[1:], tuned, strict=True)
    ]
