"""Krippendorff's alpha, against his own example and Fleiss' kappa."""

import numpy as np
import pytest

from llamadiff.compare.statistics.agreement import agreement, with_people

EXAMPLE = [
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip
"""Four observers of twelve units, from Krippendorff (2011), Computing Krippendorff's
Alpha-Reliability, section C."""


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss (1971), Psychological Bulletin 76, 378-382; counts are units × choices."""
    raters = counts[0].sum()
    same = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    by_chance = ((counts.sum(axis=0) / counts.sum()) ** 2).sum()
    return float((same.mean() - by_chance) / (1 - by_chance))


def test_the_published_example() -> None:
    found = agreement(EXAMPLE)
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert found.units == 11 and found.interval is not None and found.alpha in found.interval


def test_where_all_rated_all_it_is_fleiss_kappa_with_a_small_sample_term() -> None:
    rng = np.random.default_rng(0)
    for raters in (2, 3, 5):
        truth = rng.integers(0, 3, 60)
        units = [
            [int(t) if rng.random() < 0.6 else int(rng.integers(0, 3)) for _ in range(raters)]
            for t in truth
        ]
        counts = np.array([[unit.count(choice) for choice in range(3)] for unit in units])
        total = counts.sum()
        expected = 1 - (1 - fleiss_kappa(counts)) * (total - 1) / total
        assert agreement(units).alpha == pytest.approx(expected, abs=1e-12)


def test_the_interval_holds_the_agreement_of_many_more_units() -> None:
    rng = np.random.default_rng(1)

    def units(count: int) -> list[list[int]]:
        truth = rng.integers(0, 2, count)
        noise = rng.random((count, 2)) < 0.2
        return [[int(t ^ n) for n in each] for t, each in zip(truth, noise, strict=True)]

    true = agreement(units(20_000)).alpha
    assert true is not None
    held = [true in found for _ in range(40) if (found := agreement(units(80)).interval)]
    assert sum(held) >= 34


def test_the_edges() -> None:
    assert agreement([]).alpha is None and agreement([["a"], []]).units == 0
    always = agreement([["a", "a"]] * 5)
    assert (always.alpha, always.same) == (None, 1.0)
    perfect = agreement([["a", "a"], ["b", "b"]])
    assert (perfect.alpha, perfect.interval, perfect.same) == (1.0, None, 1.0)
    opposite = agreement([["a", "b"]] * 5)
    assert opposite.alpha is not None and opposite.alpha < 0 and opposite.same == 0


def test_checks_with_people() -> None:
    found = with_people([0.4, -0.1, 0.0, 0.2], ["first", "second", "tie", "both bad"])
    assert found.same == 0.75 and found.units == 4
    assert with_people([0.1, -0.1], ["first", "second"]).alpha == 1.0
