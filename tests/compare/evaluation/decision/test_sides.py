"""Which part of a variant differs from the baseline is found from the variant alone."""

from dataclasses import replace
from pathlib import Path

from llamadiff.compare.evaluation.decision.sides import differing, sides_of
from llamadiff.compare.variants import StackedAdapter

from .made import ADAPTER, ENGINEERED, PLAIN, plan_of, variant


def test_kinds_are_found() -> None:
    off = StackedAdapter("sentiment", ADAPTER.path, 0.0)
    variants = [
        variant("base"),
        variant("other prompt", ENGINEERED),
        replace(variant("other value"), values={"tone": "warm"}),
        replace(variant("other sampling"), sampling={"temperature": 0.2}),
        variant("tuned", PLAIN, [ADAPTER]),
        variant("half", PLAIN, [replace(ADAPTER, scale=0.5)]),
        variant("both", ENGINEERED, [ADAPTER]),
        replace(variant("warmer tuned", PLAIN, [ADAPTER]), sampling={"temperature": 1.0}),
        variant("switched off", ENGINEERED, [off]),
        variant("again"),
        replace(variant("other model"), model=Path("/m/other.gguf")),
    ]
    sides = sides_of(plan_of(variants, 1))
    names = {kind: [it.name for it in them] for kind, them in sides.variants.items()}
    assert names == {
        "plain": ["base"],
        "prompted": ["other prompt", "other value", "other sampling", "switched off"],
        "tuned": ["tuned", "half"],
        "combined": ["both", "warmer tuned"],
    }
    assert sides.left_out == (
        "again is the baseline once more.", "other model runs on another base model.",
    )  # fmt: skip
    assert differing(variants[6], variants[0]) == ("prompt", "adapter")


def test_a_baseline_with_an_adapter_decides_nothing() -> None:
    sides = sides_of(plan_of([variant("tuned", PLAIN, [ADAPTER]), variant("base")], 1))
    assert not sides.variants and "needs a baseline without one" in sides.left_out[0]
