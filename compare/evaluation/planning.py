"""From a suite's file to the plan of its evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...models.engine.protocol import ModelSettings
from ..errors import CompareError
from ..spec import Defaults
from ..variants import Variant
from .judging import suite_judges
from .plan import Plan, make_plan
from .reading import load_suite
from .rows import suite_rows
from .scoreboard import check_requirements
from .variants import called, suite_variants


@dataclass(frozen=True)
class Others:
    """Variants to be asked in place of a suite's own, and which of them is the baseline.

    `values` are those of each variant's variables, by its name, where the dataset has no column.
    """

    variants: Sequence[Variant]
    baseline: str
    values: Mapping[str, Mapping[str, str]]
    exact: bool = False


def plan_of(
    path: Path, defaults: Defaults, settings: ModelSettings, others: Others | None = None
) -> Plan:
    """The plan of a suite with its own variants, or with others and without its requirements.

    Raises CompareError, ModelError or PromptError.
    """
    suite = load_suite(path)
    rows = suite_rows(suite.dataset)
    if others is None:
        variants = suite_variants(suite, defaults)
    else:
        suite = replace(suite, baseline=others.baseline, require=())
        variants = _placed(others, rows[0].values)
    check_requirements(suite, variants)
    judges = suite_judges(suite, defaults)
    exact = others is not None and others.exact
    return make_plan(suite, variants, rows, settings, exact=exact, judges=judges)


def _placed(others: Others, columns: Mapping[str, str]) -> list[Variant]:
    """The variants with the values that rows do not give."""
    branch = next((it for it in others.variants if it.beginning is not None), None)
    if branch is not None:
        raise CompareError(
            f"{called(branch)} is a branch, whose answer begins with words that it was given; "
            "a suite cannot ask it."
        )
    if not others.variants:
        raise CompareError("There is no variant to ask.")
    found: list[Variant] = []
    for variant in others.variants:
        given = others.values.get(variant.name, {}).items()
        own = {name: text for name, text in given if name not in columns}
        found.append(replace(variant, values={**own, **variant.values}))
    return found
