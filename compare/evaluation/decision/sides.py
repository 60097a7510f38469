"""Which part of each variant differs from the baseline: the text, the adapter, or both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ....prompts.document import Prompt
from ...variants import StackedAdapter, Variant
from ..plan import Plan
from ..variants import called

Kind = Literal["plain", "prompted", "tuned", "combined"]
KINDS: tuple[Kind, ...] = ("plain", "prompted", "tuned", "combined")
"""In the order of what they cost to make."""
SIDES: tuple[Kind, ...] = KINDS[1:]


@dataclass(frozen=True)
class Sides:
    """The variants of each kind in the order of the suite, the baseline as the only plain one.

    `left_out` says of others why they are of no kind, a sentence each. Where adapters were trained
    for the evaluation, `before` are the variants with others, and `settled` stands for its kind
    though there are several: the one of most rows, which was known before any was scored.
    """

    variants: dict[Kind, tuple[Variant, ...]]
    left_out: tuple[str, ...] = ()
    before: dict[Kind, tuple[Variant, ...]] = field(default_factory=dict[Kind, tuple[Variant, ...]])
    settled: Kind | None = None

    def several(self, kind: Kind) -> bool:
        """Whether one of the kind has to be picked."""
        return len(self.variants[kind]) > 1 and kind != self.settled


def sides_of(plan: Plan) -> Sides:
    """The variants by kind: prompted has no adapter and another prompt, values or sampling than the
    baseline, tuned the baseline's and an adapter, combined both.

    There is nothing but sentences where the baseline has an adapter itself.
    """
    base = plan.baseline
    if stack_of(base):
        said = f"{called(base)}, which the others are compared with, has an adapter itself; a decision needs a baseline without one."
        return Sides({}, (said,))
    found: dict[Kind, list[Variant]] = {"plain": [base]}
    before: dict[Kind, list[Variant]] = {}
    left_out: list[str] = []
    for variant in plan.variants:
        if variant.name == base.name:
            continue
        parts = differing(variant, base)
        if "model" in parts:
            left_out.append(f"{called(variant)} runs on another base model.")
        elif not parts:
            left_out.append(f"{called(variant)} is the baseline once more.")
        else:
            other = plan.trained and "adapter" in parts and variant.name not in plan.trained
            (before if other else found).setdefault(_kind(parts), []).append(variant)
    return Sides(
        {kind: tuple(them) for kind, them in found.items()},
        tuple(left_out),
        {kind: tuple(them) for kind, them in before.items()},
        "tuned" if plan.trained else None,
    )


def differing(variant: Variant, base: Variant) -> tuple[str, ...]:
    """The parts of a variant that differ from the baseline's: model, prompt, values, sampling,
    adapter. A prompt's name, description and tags are no part of what a model is given."""
    pairs = (
        ("model", variant.model, base.model),
        ("prompt", bare_text(variant.prompt), bare_text(base.prompt)),
        ("values", dict(variant.values), dict(base.values)),
        ("sampling", sampling_of(variant), sampling_of(base)),
        ("adapter", stack_of(variant), stack_of(base)),
    )
    return tuple(name for name, own, others in pairs if own != others)


def stack_of(variant: Variant) -> tuple[StackedAdapter, ...]:
    """The adapters that have an effect, whatever their order."""
    used = [it for it in variant.adapters if it.scale != 0]
    return tuple(sorted(used, key=lambda it: str(it.path)))


def _kind(parts: tuple[str, ...]) -> Kind:
    if "adapter" not in parts:
        return "prompted"
    return "tuned" if parts == ("adapter",) else "combined"


def bare_text(prompt: Prompt) -> Prompt:
    """What of a prompt a model is given."""
    return replace(prompt, name="", description="", tags=(), sampling={}, include=(), example_data=None)  # fmt: skip


def sampling_of(variant: Variant) -> dict[str, object]:
    """The prompt's, and what the variant says otherwise."""
    return {**variant.prompt.sampling, **variant.sampling}
