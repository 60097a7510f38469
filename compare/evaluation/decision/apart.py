"""Rows that are unlike what adapters were trained on, looked at by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...statistics.figures import Table
from ...statistics.means import estimate
from ...statistics.noise import NoiseFloor, noise_floor
from ..plan import Plan
from .choosing import Chosen, Scores, compared
from .figures import Apart, Part
from .rules import Pair
from .sides import Kind

NEW = "new"
"""The tag of such rows; see docs/decision.md."""


def apart_of(
    plan: Plan, chosen: Chosen, scores: Scores, between: Sequence[tuple[Kind, Kind]], alpha: float
) -> Apart | None:
    """The tagged rows and all others, of those that the kinds are compared on; `between` are the
    comparisons (cheaper, costlier), each at `alpha`. None where either has no row, and
    while nothing is compared."""
    new = [row for row in chosen.rows if NEW in plan.rows[row].tags]
    others = [row for row in chosen.rows if NEW not in plan.rows[row].tags]
    if not new or not others or chosen.waits_for:
        return None

    def part(rows: Sequence[int]) -> Part:
        tables: dict[Kind, Table] = {
            kind: scores.table(it, rows) for kind, it in chosen.variants.items()
        }
        return Part(
            len(rows),
            dict(zip(tables, map(estimate, tables.values()), strict=True)),
            floors(tables, plan.repeats),
            tuple(
                Pair(
                    cheaper,
                    costlier,
                    compared(
                        plan,
                        chosen,
                        scores,
                        (chosen.variants[cheaper], chosen.variants[costlier]),
                        rows,
                        alpha,
                    ),
                )
                for cheaper, costlier in between
            ),
        )

    return Apart(part(new), part(others))


def floors(tables: Mapping[Kind, Table], repeats: int) -> dict[Kind, NoiseFloor | None]:
    """The noise floor of each kind; None without repeats."""
    return {
        kind: noise_floor(table, repeats) if repeats > 1 else None for kind, table in tables.items()
    }
