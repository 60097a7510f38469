"""Holm's correction: several variants against one baseline, one chance of a false winner."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order given: Holm (1979), Scand. J. Statistics 6, 65-70.

    It asks nothing of how the variants depend on each other, and holds for p-values that are valid
    at every look, at every look.
    """
    adjusted = [0.0] * len(p_values)
    so_far = 0.0
    for rank, index in enumerate(_ascending(p_values)):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = so_far
    return adjusted


def levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """What each p-value is held against: alpha over the number of variants not decided before it.

    A p-value is at or below its level exactly where its adjusted one is at or below alpha, and an
    interval at one less the level agrees with it.
    """
    held = [alpha] * len(p_values)
    open_ones = len(p_values)
    for index in _ascending(p_values):
        held[index] = alpha / open_ones
        if p_values[index] <= held[index]:
            open_ones -= 1
    return held


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda index: p_values[index])
