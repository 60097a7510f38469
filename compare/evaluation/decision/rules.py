"""What follows from the comparisons: the rules that docs/decision.md has as a table.

The cheapest kind wins that no costlier one is better than by what matters, and both together only
where each of the two was tried alone. Where both ends of a kind's intervals move its way, as they do
with more passes, it never loses a recommendation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...statistics.figures import Interval
from ...statistics.verdict import Verdict
from .sides import Kind

Relation = Literal["better", "enough", "open"]
Outcome = Literal["neither", "prompt", "fine-tune", "both", "undecided"]

OUTCOMES: Mapping[Kind, Outcome] = {
    "plain": "neither", "prompted": "prompt", "tuned": "fine-tune", "combined": "both",
}  # fmt: skip
HALVES: Sequence[Kind] = ("prompted", "tuned")
"""What both together consist of."""


@dataclass(frozen=True)
class Pair:
    """A costlier kind against a cheaper one; the verdict's difference is the costlier's lead."""

    cheaper: Kind
    costlier: Kind
    verdict: Verdict

    @property
    def relation(self) -> Relation:
        """`better`: the costlier one is, by more than surely does not matter. `enough`: it is not
        better by what matters, so the cheaper one will do. `open`: the rows do not say."""
        if not self.verdict.difference.rows:
            return "open"
        return relation(self.verdict.difference.interval, self.verdict.margin)


@dataclass(frozen=True)
class Ruling:
    """`pick` is recommended; None if undecided. `open` are the comparisons that are missing: those
    that keep the decision back, or with a pick, that of both together with it. `untried` are the
    kinds without which both together are not recommended, where that keeps the decision back."""

    outcome: Outcome
    pick: Kind | None
    open: tuple[Pair, ...] = ()
    untried: tuple[Kind, ...] = ()


def relation(interval: Interval, margin: float) -> Relation:
    """What the interval of a costlier kind's lead says."""
    if interval.high <= margin:
        return "enough"
    return "better" if interval.low > 0 else "open"


def rule(kinds: Sequence[Kind], pairs: Mapping[tuple[Kind, Kind], Pair]) -> Ruling:
    """`kinds` that there are, the cheapest first, two at least; `pairs` by cheaper and costlier."""
    untried: tuple[Kind, ...] = tuple(
        it for it in HALVES if "combined" in kinds and it not in kinds
    )
    for index, kind in enumerate(kinds):
        costlier = [pairs[kind, other] for other in kinds[index + 1 :]]
        if any(pair.relation == "better" for pair in costlier):
            continue
        missing = tuple(pair for pair in costlier if pair.relation == "open")
        if kind == "combined" and untried:
            return Ruling("undecided", None, (), untried)
        if not missing or _only_both(kinds, missing):
            return Ruling(OUTCOMES[kind], kind, missing)
        both = any(pair.costlier == "combined" for pair in missing)
        return Ruling("undecided", None, missing, untried if both else ())
    raise ValueError("there are no kinds")


def _only_both(kinds: Sequence[Kind], missing: Sequence[Pair]) -> bool:
    """Prompt or fine-tune is decided then; only what the two together would add is not."""
    both = all(pair.costlier == "combined" and pair.cheaper != "plain" for pair in missing)
    return both and "tuned" in kinds
