"""What adapters do to other tasks: their stacks on other suites, beside the base alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....models.engine.client import EngineError
from ...errors import MISTAKES, CompareError
from ...runner import Runner
from ...spec import Defaults
from ...statistics.means import estimate
from ...statistics.verdict import ALPHA, decide
from ...variants import StackedAdapter, Variant, variant_names
from ..answers import Checked
from ..evaluator import Evaluator, Progress
from ..judging import suite_judges
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
    plan: Plan, defaults: Defaults, *, rows: int | None = None, allow_code: bool = False
) -> list[Other]:
    """The suites that the plan's suite names, with their own plain prompts, on the plan's model.

    `rows` of each are run at most. Raises what is wrong with them, as reading a suite does.
    """
    return [_other(plan, defaults, name, rows, allow_code) for name in plan.suite.elsewhere]


def _other(plan: Plan, defaults: Defaults, name: str, rows: int | None, allow_code: bool) -> Other:
    path: Path = find_suite(name)
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
    found = suite_rows(suite.dataset)[: min(MOST_ROWS, rows or MOST_ROWS)]
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
    on_progress: Callable[[str, Progress], None] = lambda suite, progress: None,
) -> tuple[list[Elsewhere], list[str]]:
    """Each stack on each suite against the base, and a sentence for each suite that failed.

    All comparisons share ALPHA. Nothing is kept in the history.
    """
    found: list[Elsewhere] = []
    problems: list[str] = []
    alpha = ALPHA / max(1, len(others) * len(stacks))
    for other in others if stacks else ():
        try:
            found += await _run(runner, other, stacks, alpha, on_progress)
        except (*MISTAKES, EngineError) as error:
            problems.append(f"{other.suite.name} could not be run: {error}")
    return found, problems


async def _run(
    runner: Runner,
    other: Other,
    stacks: Sequence[tuple[StackedAdapter, ...]],
    alpha: float,
    on_progress: Callable[[str, Progress], None],
) -> list[Elsewhere]:
    base = other.plan.baseline
    names = variant_names()
    tuned = [
        replace(base, name=name, adapters=stack, label=stack_name(stack))
        for name, stack in zip(names[1:], stacks, strict=False)
    ]
    variants: tuple[Variant, ...] = (replace(base, name=names[0], label=""), *tuned)
    plan = replace(other.plan, variants=variants, baseline=variants[0])
    answers: list[Checked] = []
    evaluator = Evaluator(
        runner, plan, answers.extend, lambda it: on_progress(other.suite.name, it)
    )
    await evaluator.run()
    scores = Scores(plan, answers)
    tables = [scores.table(it, scores.rows) for it in variants]
    return [
        Elsewhere(
            other.suite.name,
            other.suite.path.stem.startswith(INSTRUCTIONS),
            stack_name(stack),
            estimate(tables[0]),
            estimate(table),
            decide(table, tables[0], planned=plan.planned, alpha=alpha, margin=other.suite.margin),
        )
        for stack, table in zip(stacks, tables[1:], strict=True)
    ]
