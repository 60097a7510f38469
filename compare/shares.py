"""Shares of a whole in words."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share without decimals; what is not all, or not nothing, is not rounded to it."""
    rounded = min(99, max(1, round(share * 100))) if 0 < share < 1 else round(share * 100)
    return f"{rounded} %"
