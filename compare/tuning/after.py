"""Suites before and after: their own variants, and the same with the adapters that were trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...models.engine.protocol import ModelSettings
from ..errors import CompareError
from ..evaluation.plan import Plan
from ..evaluation.planning import asks_about, plan_of
from ..evaluation.rows import suite_rows
from ..evaluation.suite import Suite
from ..evaluation.variants import baseline_of, suite_variants
from ..spec import Defaults
from ..variants import StackedAdapter, Variant, variant_names
from .plan import PlannedAdapter, TuningPlan

if TYPE_CHECKING:
    from ..history.evaluations import Evaluations


def tuned_plan(
    suite: Suite,
    plan: TuningPlan,
    defaults: Defaults,
    settings: ModelSettings,
    *,
    kept: Evaluations | None = None,
) -> Plan:
    """The suite on the base of a training, with its own variants and the new ones of `tuned_variants`,
    which alone stand for adapters in its decision.

    `kept` knows what was planned before. Raises CompareError, ModelError or PromptError.
    """
    wanted = replace(defaults, model=str(plan.base))
    own = suite_variants(suite, wanted)
    added = tuned_variants(suite, own, plan)
    made = plan_of(suite, wanted, settings, kept=kept, added=added)
    return replace(made, trained=tuple(it.name for it in added))


def tuned_variants(suite: Suite, own: Sequence[Variant], plan: TuningPlan) -> list[Variant]:
    """The suite's baseline under each of the adapters; and under the last of them, which has the most
    rows, what else of the suite's own has no adapter, and the prompt that was trained under, where it
    asks about the suite's rows.

    Raises CompareError for a suite whose baseline is of another base, and one whose variants leave no
    names.
    """
    baseline = baseline_of(suite, own)
    if baseline.model != plan.base:
        raise CompareError(
            f"{suite.path}: its baseline is run on {baseline.model_name}, and the adapter is for "
            f"{plan.base.stem}; leave the model out of the suite."
        )
    found = [_with(baseline, it) for it in plan.adapters]
    last = plan.adapters[-1]
    others = [it for it in own if not it.adapters and it.model == plan.base and it is not baseline]
    found += [_with(it, last, it.label or it.prompt.name) for it in others]
    known = (baseline, *others)
    if plan.prompt is not None and all(it.prompt != plan.prompt for it in known):
        under = replace(baseline, prompt=plan.prompt)
        if asks_about(under, suite_rows(suite)[0].values):
            found.append(_with(under, last, plan.prompt.name))
    free = variant_names()[len(own) :]
    if len(found) > len(free):
        raise CompareError(
            f"{suite.path} has {len(own)} variants, which leaves no room for {len(found)} with new "
            "adapters; train fewer at once."
        )
    return list(_named(found, free, {it.label for it in own}))


def _with(variant: Variant, adapter: PlannedAdapter, of: str = "") -> Variant:
    label = f"{of} + {adapter.name}" if of else adapter.name
    return replace(variant, adapters=(StackedAdapter(adapter.name, adapter.out),), label=label)


def _named(found: Sequence[Variant], names: Sequence[str], taken: set[str]) -> Iterator[Variant]:
    """With names, and labels that no other variant has."""
    for name, it in zip(names, found, strict=False):
        label = f"{it.label} (new)" if it.label in taken else it.label
        yield replace(it, name=name, label=label)
