"""How alike two texts are: the share of words that they have in common, in order."""

from __future__ import annotations

from collections.abc import Sequence

from .diff.units import core, split


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as a diff by words compares them: without the spaces behind them."""
    return tuple(core(unit, "word") for unit in split(text, "word"))


def likeness(a: Sequence[str], b: Sequence[str], at_least: float = 0.0) -> float:
    """0 to 1: 2 × words of the longest common subsequence / words of both texts.

    The normalized Indel similarity of rapidfuzz; words differ where a letter or its case does. Two
    texts without words are alike, 1. Below `at_least` it is 0, which is found out sooner.
    """
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(a, b, score_cutoff=at_least)
