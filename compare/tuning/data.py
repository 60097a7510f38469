"""The rows of a plan, read and checked, with what training on them will take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ...models.gguf.facts import ModelFacts
from ...models.hashing import sha256_file
from ...models.tuning.base import check_base
from ...models.tuning.estimate import Estimate, check_room, estimate, measure_flops
from ...models.tuning.extra import may_have_gpu
from ...models.tuning.rows import Rows, check_rows, rows_of
from ...models.tuning.settings import TuningSettings
from ...prompts.library import Library
from ...prompts.rendering.helper import Renderer
from ..errors import MISTAKES, CompareError
from ..evaluation.decision.elsewhere import suite_elsewhere
from ..evaluation.reading import load_suite
from ..runner import Runner
from ..training_data.checking import Data
from ..training_data.examples import read_examples
from ..training_data.findings import Report
from ..training_data.leakage import HeldOut, held_out
from ..training_data.preview import PreviewedRow, previewed
from ..training_data.splitting import Split, rows_in, split
from ..training_data.tokens import Prepared, prepare
from ..training_data.words import sentence
from .plan import PlannedAdapter, TuningPlan

PREVIEWED = 3
"""Examples that are shown."""

Progress = Callable[[str, float, str], None]
"""Is told a stage, the share of it that is done, and that in units."""


@dataclass(frozen=True)
class CheckedData:
    """What a plan is trained on. Without a split there are too few different questions.

    `sha256` is that of the file, `settings` are complete but for llamadiff's choices, `preview` are
    the first rows, and `estimates` what each of the plan's adapters will take. `problem` is a sentence
    that says why nothing can be trained, empty where something can.
    """

    prepared: Prepared
    sha256: str
    report: Report
    split: Split | None
    settings: TuningSettings
    preview: tuple[PreviewedRow, ...]
    estimates: tuple[Estimate, ...] = ()
    problem: str = ""

    def part(self, adapter: PlannedAdapter) -> Split:
        """What one adapter is trained on and validated with. Raises CompareError where there is no
        split, or fewer examples than it wants."""
        if self.split is None:
            raise CompareError(self.problem)
        return self.split if adapter.rows is None else self.split.first(adapter.rows)

    def rows(self, adapter: PlannedAdapter) -> Rows:
        """The same as the trainer is given it. Raises as `part`."""
        part = self.part(adapter)
        return rows_of(rows_in(part.train), rows_in(part.validation))

    @cached_property
    def checks(self) -> tuple[str, ...]:
        """What the checks ended with, a sentence each, as the adapter's file keeps it."""
        found = tuple(sentence(it) for it in self.report.findings)
        return found or (
            f"{self.report.examples:,} rows were checked; nothing is wrong with them.",
        )

    def keys(self, adapter: PlannedAdapter) -> tuple[str, ...]:
        """The keys of suites' rows that its examples are of, each once."""
        part = self.part(adapter)
        keys = (it.example.suite_row for it in (*part.train, *part.validation))
        return tuple(dict.fromkeys(key for key in keys if key))


async def check_data(
    runner: Runner,
    plan: TuningPlan,
    library: Library,
    folders: Sequence[Path] = (),
    on_progress: Progress = lambda stage, share, detail: None,
) -> CheckedData:
    """Read, render, tokenize and check the rows, as the engine is given them; nothing is trained.

    A person's own suites are in the `folders`. `on_progress` is told of "loading", "tokenizing" and
    "checking". Raises CompareError, PromptError and ModelError for what is wrong in the plan or its
    files, and EngineError.
    """
    facts = await asyncio.to_thread(runner.facts, plan.base)  # raises what the engine would refuse
    renderer = runner.renderer
    held = await asyncio.to_thread(_held_out, plan, folders, library, renderer)
    source = await asyncio.to_thread(read_examples, plan.data, plan.prompt, renderer)
    sha256 = await asyncio.to_thread(sha256_file, plan.data, None)
    model = await runner.engine.load(
        plan.base, runner.settings, lambda share: on_progress("loading", share, "")
    )
    prepared = await prepare(
        runner, model, source,
        lambda done, of: on_progress("tokenizing", done / of, f"{done:,} of {of:,}"),
    )  # fmt: skip
    on_progress("checking", 0.0, "")
    rules = plan.of_data
    checked = Data(prepared, rules.sequence_length)
    report = await asyncio.to_thread(checked.check, held)
    parts, problem = None, ""
    try:
        parts = split(checked.usable, checked.classes, share=rules.validation, seed=rules.seed)
    except CompareError as error:
        problem = str(error)
    preview = await previewed(runner.engine, prepared, checked.usable[:PREVIEWED])
    data = CheckedData(
        prepared, sha256, report, parts, plan.of_training(preferences=report.preferences),
        tuple(preview), problem=problem,
    )  # fmt: skip
    return await asyncio.to_thread(_estimated, data, plan, facts) if parts else data


def _held_out(
    plan: TuningPlan, folders: Sequence[Path], library: Library, renderer: Renderer
) -> list[HeldOut]:
    """The rows that must not be learned: those of suites, and of suites that these name as
    elsewhere, since what an adapter loses there is lost on rows that it does not know.

    Raises a mistake; one elsewhere that cannot be read is not run either, which is told then.
    """
    suites = [load_suite(path) for path in plan.held_out]
    found = [held_out(it, library, renderer) for it in suites]
    known = {it.path.resolve() for it in suites}
    for it in suites:
        for name in it.elsewhere:
            with contextlib.suppress(*MISTAKES):
                path = suite_elsewhere(it, name, folders).resolve()
                if path not in known:
                    known.add(path)
                    found.append(held_out(load_suite(path), library, renderer))
    return found


def _estimated(data: CheckedData, plan: TuningPlan, facts: ModelFacts) -> CheckedData:
    """With what training will take, and why it cannot be if it cannot. Raises CompareError."""
    parts = [data.rows(adapter) for adapter in plan.adapters]
    on_gpu = may_have_gpu()
    flops = None if on_gpu else measure_flops()
    estimates = tuple(
        estimate(facts, data.settings, them.train or them.train_pairs, flops=flops, on_gpu=on_gpu)
        for them in parts
    )
    problem = _problem(data.settings, plan, facts, parts, estimates)
    return replace(data, estimates=estimates, problem=problem)


def _problem(
    settings: TuningSettings,
    plan: TuningPlan,
    facts: ModelFacts,
    parts: Sequence[Rows],
    estimates: Sequence[Estimate],
) -> str:
    preferences = settings.method == "dpo"
    longest = min(settings.sequence_length, facts.context)
    try:
        check_base(facts, plan.weights)
        for them in parts:
            check_rows(them, preferences=preferences, longest=longest, vocab_size=facts.vocab_size)
        if not may_have_gpu():  # else the process that trains asks the GPU
            largest = max(estimates, key=lambda it: it.memory_bytes)
            check_room(largest, processes=settings.processes)
    except MISTAKES as error:
        return str(error)
    return ""
