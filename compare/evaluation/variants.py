"""The variants of a suite: every combination that its tables list, found on this disk."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace

from ..errors import CompareError
from ..spec import Defaults, variants_of
from ..variants import Variant, variant_names
from .suite import Suite, VariantSpec, told

_VALUES = "values."


def suite_variants(suite: Suite, defaults: Defaults) -> list[Variant]:
    """In the order of the file, named A, B, C …; the last key of a table changes fastest.

    What the tables leave open is as `defaults` say, and then the suite's own. Raises CompareError, ModelError or PromptError.
    """
    cases = [
        (number, spec, case) for number, spec in enumerate(suite.variants) for case in _cases(spec)
    ]
    most = len(variant_names())
    if len(cases) > most:
        raise CompareError(f"{suite.path} has {len(cases):,} variants; at most {most} are run.")
    given = {
        "model": defaults.model,
        "prompt": defaults.prompt,
        "adapter": defaults.adapters,
        **defaults.sampling,
    }
    own = {key: value for key, value in suite.defaults.items() if not given.get(key)}
    if any(given.values()):  # what is wrong with these is no fault of the suite's
        user = defaults.user if defaults.prompt else defaults.user or "?"
        variants_of(replace(defaults, user=user), [{}])
    found: list[Variant] = []
    for name, (number, spec, case) in zip(variant_names(), cases, strict=False):
        where = suite.at("variants", number)
        with told(where) if suite.text else nullcontext():
            (variant,) = variants_of(defaults, [{**own, **_table(spec, case)}], [name])
        if variant.label and any(variant.label == other.label for other in found):
            raise CompareError(
                f"{where}: another variant is labelled {variant.label} too; give each its own label."
            )
        found.append(replace(variant, values=_own_values(case)))
    return found


def baseline_of(suite: Suite, variants: Sequence[Variant]) -> Variant:
    """The variant that the others are compared with: the first unless the suite names another."""
    if not suite.baseline:
        return variants[0]
    named = by_name(variants)
    if suite.baseline not in named:
        raise CompareError(
            f"{suite.at('baseline')}: there is no variant {suite.baseline} to be the baseline; there are "
            f"{', '.join(named)}."
        )
    return named[suite.baseline]


def by_name(variants: Sequence[Variant]) -> dict[str, Variant]:
    """Variants by what requirements call them: their labels, and their names."""
    named = {variant.label: variant for variant in variants if variant.label}
    return {**{variant.name: variant for variant in variants}, **named}


def called(variant: Variant) -> str:
    """What a variant is called in sentences."""
    return variant.label or variant.name


def _cases(spec: VariantSpec) -> list[dict[str, object]]:
    return [
        dict(zip(spec.axes, values, strict=True))
        for values in itertools.product(*spec.axes.values())
    ]


def _table(spec: VariantSpec, case: Mapping[str, object]) -> dict[str, object]:
    table = {key: value for key, value in case.items() if not key.startswith(_VALUES)}
    if (scale := table.pop("scale", None)) is not None:
        table["adapter"] = f"{table['adapter']}@{scale:g}"
    varied = [
        f"{key.removeprefix(_VALUES)}={_short(case[key])}"
        for key, choices in spec.axes.items()
        if len(choices) > 1
    ]
    label = " · ".join([spec.label, *varied] if spec.label else varied)
    return {**table, "label": label}


def _short(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= 24 else f"{text[:23]}…"


def _own_values(case: Mapping[str, object]) -> dict[str, str]:
    return {
        key.removeprefix(_VALUES): str(value)
        for key, value in case.items()
        if key.startswith(_VALUES)
    }
