"""Run the suites that were written on the models that were made, for the card."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.evaluator import Evaluator, Progress
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.planning import plan_of
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.scoreboard import scoreboard
from llamadiff.compare.evaluation.suite import Suite, VariantSpec
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults
from llamadiff.compare.statistics.figures import Estimate
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.library import Library
from llamadiff.prompts.rendering.helper import Renderer

from .suites import library_in, suites_in
from .tasks import TASKS

NEW, KNOWN = "new", "known"
PLAIN, ENGINEERED, BOTH = "plain", "engineered", "both"


@dataclass(frozen=True)
class Scores:
    """What one suite gave: by what it was asked of, the mean score with its interval of 95 %.

    Columns are `PLAIN` (the base alone), `ENGINEERED`, `BOTH`, and the adapters by their names, each
    under the plain prompt; those of other tasks also `guided`, under the engineered one. ``new`` and
    ``known`` are those of rows written by hand and of held-out rows of the grammar, for tasks alone.
    ``worse`` are the adapters of other tasks that are worse than the base under one prompt: the
    verdict of a suite on the same rows.
    """

    suite: str
    all_rows: dict[str, Estimate]
    known: dict[str, Estimate]
    new: dict[str, Estimate]
    worse: frozenset[str] = frozenset()


def guided(adapter: str) -> str:
    """The column of another task's adapter under the engineered prompt."""
    return f"{adapter} {ENGINEERED}"


async def measure(base: Path, out: Path, work: Path, rows: int | None = None) -> list[Scores]:
    """The scores of every suite in ``out`` on the GGUF file ``base`` and the adapters beside it.

    All rows are run, or the first ``rows`` of each in the order that its seed draws.
    """
    library = Library(shipped=library_in(out))
    base = base.resolve()
    engine = Engine(work / "engine.log")
    try:
        with Renderer() as renderer:
            runner = Runner(engine, renderer, cache_dir=work)
            names = [task.name for task in TASKS] + ["general", "instructions"]
            paths = [suites_in(out) / f"{name}.toml" for name in names]
            return [await _measured(runner, library, base, path, rows) for path in paths]
    finally:
        await engine.close()


async def _measured(
    runner: Runner, library: Library, base: Path, path: Path, rows: int | None
) -> Scores:
    defaults = Defaults(model=str(base), library=library)
    plan = plan_of(_asked(load_suite(path), base), defaults, runner.settings, limit=rows)
    answers: list[Checked] = []

    def tell(progress: Progress) -> None:
        sys.stderr.write(f"\r\x1b[K{path.stem}: {progress.answers:,} of {progress.of:,} answers")
        sys.stderr.flush()

    await Evaluator(runner, plan, answers.extend, tell).run()
    sys.stderr.write("\n")
    new = {place for place, row in enumerate(plan.rows) if NEW in row.tags}
    known = {place for place, row in enumerate(plan.rows) if KNOWN in row.tags}
    return Scores(
        path.stem,
        _by_column(path.stem, plan, answers),
        _by_column(path.stem, plan, [it for it in answers if it.row in known]),
        _by_column(path.stem, plan, [it for it in answers if it.row in new]),
        _worse(plan, answers),
    )


def _asked(suite: Suite, base: Path) -> Suite:
    """The suite with the adapters beside the base, whatever ships under their names; that of a task
    also with each other task's adapter under both prompts."""
    name, names = suite.path.stem, [task.name for task in TASKS]
    others = [it for it in names if it != name] if name in names else []
    specs = [*suite.variants]
    for it in others:
        specs.append(VariantSpec(it, {"prompt": (name,), "adapter": (it,)}))
        axes = {"prompt": (f"{name}-engineered",), "adapter": (it,)}
        specs.append(VariantSpec(guided(it), axes))
    files = {it: str(base.with_name(f"{it}.gguf")) for it in names}
    placed = tuple(
        replace(
            it, axes={**it.axes, "adapter": tuple(files.get(str(a), a) for a in it.axes["adapter"])}
        )
        for it in specs
    )
    return replace(suite, variants=placed, require=())


def _worse(plan: Plan, answers: Sequence[Checked]) -> frozenset[str]:
    variants = {it.label: it for it in plan.variants}
    names = [task.name for task in TASKS]
    found: set[str] = set()
    for base, labels in (
        (plan.baseline.label, {name: name for name in names}),
        (ENGINEERED, {guided(name): name for name in names}),
    ):
        asked = [it for it in labels if it in variants]
        if asked:
            some = tuple(variants[it] for it in (base, *asked))
            board = scoreboard(replace(plan, baseline=some[0], variants=some), answers)
            verdicts = {labels[it.variant.label]: it.verdict for it in board.lines if it.verdict}
            found |= {name for name, it in verdicts.items() if it.outcome == "worse"}
    return frozenset(found)


def _by_column(suite: str, plan: Plan, answers: Sequence[Checked]) -> dict[str, Estimate]:
    if not answers:
        return {}
    columns = {"tuned": suite, "base": PLAIN}
    lines = scoreboard(plan, answers).lines
    return {columns.get(line.variant.label, line.variant.label): line.score for line in lines}
