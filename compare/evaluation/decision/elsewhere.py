"""What adapters do to other tasks: their stacks on other suites, beside the base alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ....models.engine.client import EngineError
from ...errors import MISTAKES, CompareError
from ...runner import Runner
from ...spec import Defaults
from ...statistics.means import estimate
from ...statistics.noise import noise_floor
from ...statistics.verdict import ALPHA, decide
from ...variants import StackedAdapter, Variant, variant_names
from ..answers import Checked
from ..evaluator import Evaluator, Progress
from ..judging import suite_judges
from ..pausing import Pause
from ..plan import Plan
from ..reading import load_suite
from ..rows import suite_rows
from ..settling import make_plan
from ..shipped import find_suite, ships
from ..suite import Suite
from ..variants import suite_variants
from .build import chosen_of, stack_name
from .choosing import Scores
from .figures import Elsewhere
from .sides import stack_of

if TYPE_CHECKING:
    from ...history.evaluations import Evaluations

MOST_ROWS = 200
"""Of a longer suite so many rows are run, the first ones in the order that its seed draws."""
INSTRUCTIONS = "instructions"
"""The file of a suite about changed instructions begins with this."""


@dataclass(frozen=True)
class Other:
    """Another suite with its baseline on the base alone, and with it under each of the stacks that
    may be put to it."""

    suite: Suite
    plan: Plan


def others_of(
    plan: Plan,
    defaults: Defaults,
    folders: Sequence[Path] = (),
    *,
    kept: Evaluations | None = None,
    allow_code: bool = False,
) -> tuple[list[Other], list[str]]:
    """The suites that the plan's suite names, with their own plain prompts, on the plan's model;
    and a sentence for each that something is wrong with.

    A person's own are in the `folders`, which a suite that ships does not name; `kept` knows what
    was planned before. Where the plan has fewer rows than planned, so has each of them. Raises
    CompareError where the plan's suite names what is not there, itself, or code that is not allowed.
    """
    found: list[Other] = []
    problems: list[str] = []
    for name in plan.suite.elsewhere:
        path = suite_elsewhere(plan.suite, name, folders)
        try:
            suite = load_suite(path)
        except MISTAKES as mistake:
            problems.append(f"{path.stem} is left out: {mistake}")
            continue
        if suite.code and not allow_code:
            raise CompareError(
                f"{suite.path}, which {plan.suite.path.name} names as elsewhere, checks answers "
                "with Python code; give --allow-code if you trust it."
            )
        try:
            found.append(_other(plan, suite, defaults, kept))
        except MISTAKES as mistake:
            problems.append(f"{path.stem} is left out: {mistake}")
    return found, problems


def others_left(
    plan: Plan, defaults: Defaults, folders: Sequence[Path], kept: Evaluations | None
) -> tuple[list[Other], list[str]]:
    """As `others_of` with `allow_code`, with a sentence for each suite that is not as it was; it
    raises nothing."""
    found: list[Other] = []
    missing: list[str] = []
    for name in plan.suite.elsewhere:
        try:
            suite = load_suite(suite_elsewhere(plan.suite, name, folders))
            found.append(_other(plan, suite, defaults, kept))
        except MISTAKES as mistake:
            missing.append(f"{Path(name).stem} is left as it was: {mistake}")
    return found, missing


def suite_elsewhere(suite: Suite, name: str, folders: Sequence[Path]) -> Path:
    """The file of another suite that this one names. Raises CompareError."""
    path = find_suite(name, () if ships(suite.path) else folders)
    if path.resolve() == suite.path.resolve():
        raise CompareError(f"{suite.path}: elsewhere names the suite itself; leave it out.")
    return path


def _other(plan: Plan, suite: Suite, defaults: Defaults, kept: Evaluations | None) -> Other:
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
    (base,) = suite_variants(plain, wanted)
    dataset = replace(suite.dataset, sample=min(MOST_ROWS, suite.dataset.sample or MOST_ROWS))
    made = make_plan(
        replace(plain, dataset=dataset, planned=None),
        _tuned(base, [stack_of(it) for it in plan.variants]),
        suite_rows(suite),
        plan.settings,
        kept=kept,
        limit=len(plan.rows) if len(plan.rows) < plan.planned.to_run else None,
        exact=plan.exact,
        judges=suite_judges(plain, wanted),
    )
    return Other(suite, made)


def _tuned(base: Variant, stacks: Sequence[tuple[StackedAdapter, ...]]) -> list[Variant]:
    """The base alone, and under each of the stacks."""
    found = [replace(base, label="")]
    different = dict.fromkeys(it for it in stacks if it)
    for name, stack in zip(variant_names()[1:], different, strict=False):
        found.append(replace(base, name=name, adapters=stack, label=stack_name(stack)))
    return found


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
    """With the baseline and these stacks alone."""
    wanted = [it for stack in stacks for it in plan.variants if stack_of(it) == stack]
    return replace(plan, variants=(plan.baseline, *wanted))


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
    base = scores.table(plan.baseline, scores.rows)
    score = estimate(base)

    def found(variant: Variant) -> Elsewhere:
        table = scores.table(variant, scores.rows)
        planned = plan.planned_for(plan.baseline, variant, scores.rows)
        floors = (noise_floor(it, plan.repeats).interval.high for it in (base, table))
        return Elsewhere(
            other.suite.name,
            other.suite.path.stem.startswith(INSTRUCTIONS),
            variant.label,
            score,
            estimate(table),
            decide(table, base, planned=planned, alpha=alpha, margin=other.suite.margin),
            mark,
            max(floors) if plan.repeats > 1 else None,
        )

    return [found(it) for it in plan.variants[1:]]
