"""From a suite to the plan of its evaluation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...models.engine.protocol import ModelSettings
from ...prompts.examples import guessed_answer
from ..checks.code import Code
from ..checks.result import NOTHING_EXPECTED, Answer
from ..errors import CompareError
from ..spec import Defaults
from ..variants import Variant
from .judging import suite_judges
from .plan import Plan
from .rows import SuiteRow, columns_of, suite_rows
from .scoreboard import check_requirements
from .settling import make_plan
from .suite import Suite
from .variants import called, suite_variants

if TYPE_CHECKING:
    from ..history.evaluations import Evaluations


@dataclass(frozen=True)
class Instead:
    """Variants to be asked in place of a suite's own, and which of them is the baseline.

    `values` are those of each variant's variables, by its name, where the dataset has no column.
    """

    variants: Sequence[Variant]
    baseline: str
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


def plan_of(
    suite: Suite,
    defaults: Defaults,
    settings: ModelSettings,
    *,
    instead: Instead | None = None,
    values: Mapping[str, str] | None = None,
    kept: Evaluations | None = None,
    limit: int | None = None,
    exact: bool = False,
    added: Sequence[Variant] = (),
) -> Plan:
    """The plan of a suite with its own variants and those `added`, or with others and without its
    requirements.

    `values` stand in the place of those of all rows; `limit` is how many rows are run; `kept` knows
    what was planned before. Raises CompareError, ModelError or PromptError.
    """
    rows = suite_rows(suite)
    _check_expected(suite, rows)
    if values:
        rows = [replace(row, values={**row.values, **values}) for row in rows]
    if instead is None:
        variants = [*suite_variants(suite, defaults), *added]
    else:
        suite = replace(suite, baseline=instead.baseline, require=())
        columns = columns_of(rows)
        variants = _placed(instead, columns)
        _check_columns(suite, variants, columns)
    for name in values or ():
        if not any(name in field for it in variants for _, _, field in it.prompt.text_fields()):
            raise CompareError(f"--var {name}: no variant's prompt uses {name}.")
    check_requirements(suite, variants)
    judges = suite_judges(suite, defaults)
    return make_plan(
        suite, variants, rows, settings, kept=kept, limit=limit, exact=exact, judges=judges
    )


def _check_expected(suite: Suite, rows: Sequence[SuiteRow]) -> None:
    """Raise CompareError for a check that compares with what rows expect, where none says that."""
    if any(row.expected is not None for row in rows):
        return
    column = guessed_answer(rows[0].values) or "COLUMN"
    for number, (name, check) in enumerate((it.name, it.check) for it in suite.checks):
        if not isinstance(check, Code) and check(Answer("")) == NOTHING_EXPECTED:
            raise CompareError(
                f"{suite.at('checks', number)}: {name} compares with what a row expects, and no row "
                f'of {suite.dataset.file} says that; write columns = {{ expected = "{column}" }} '
                "under [dataset]."
            )


def _check_columns(suite: Suite, variants: Sequence[Variant], columns: Collection[str]) -> None:
    """Raise CompareError for a variant whose prompt names no column of the dataset."""
    for variant in variants:
        if not asks_about(variant, columns):
            example = next((it for it in columns if it != "expected"), "expected")
            raise CompareError(
                f"{suite.name} cannot be asked of {called(variant)}: its prompt "
                f"{variant.prompt.name} uses no column of the dataset, {', '.join(sorted(columns))}; "
                f"take a prompt that uses one, such as {{{{ {example} }}}}."
            )


def asks_about(variant: Variant, columns: Iterable[str]) -> bool:
    """Whether a variant's prompt names one of these columns."""
    fields = [text for _, _, text in variant.prompt.text_fields()]
    names = [it.name for it in variant.prompt.variables if it.name not in variant.values]
    return any(it in names or any(it in text for text in fields) for it in columns)


def _placed(instead: Instead, columns: Collection[str]) -> list[Variant]:
    """The variants with the values that rows do not give."""
    branch = next((it for it in instead.variants if it.beginning is not None), None)
    if branch is not None:
        raise CompareError(
            f"{called(branch)} is a branch, whose answer begins with words that it was given; "
            "a suite cannot ask it."
        )
    if not instead.variants:
        raise CompareError("There is no variant to ask.")
    found: list[Variant] = []
    for variant in instead.variants:
        given = instead.values.get(variant.name, {}).items()
        own = {name: text for name, text in given if name not in columns}
        found.append(replace(variant, values={**own, **variant.values}))
    return found
