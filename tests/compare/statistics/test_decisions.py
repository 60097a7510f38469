"""A small run of benchmarks/decisions.py: no winner is bought, and the naive ways do buy one."""

import numpy as np
import pytest

from benchmarks.decisions import (
    LOOKS,
    Share,
    coverage,
    difficulty,
    false_winners,
    holm_false,
    looked,
    passes,
    power,
)
from llamadiff.compare.statistics.holm import levels
from llamadiff.compare.statistics.verdict import ALPHA, decide

NAIVE = ("exact test, 10 looks", "best of 9, same rows")


@pytest.mark.parametrize(
    ("rows", "rate", "suites"),
    [(20, 0.5, 500), (50, 0.8, 500), (150, 0.5, 1_000), (150, 0.95, 500)],
)
def test_false_winners_stay_within_five_in_a_hundred(rows: int, rate: float, suites: int) -> None:
    found = false_winners(np.random.default_rng([rows, 1]), suites, rows, rate)
    assert set(NAIVE) < set(found) and len(found) == 10
    above = {name for name, share in found.items() if share.above(ALPHA)}
    assert above <= set(NAIVE)
    if (rows, rate) == (150, 0.5):
        assert above == set(NAIVE)


@pytest.mark.parametrize(("rows", "rate"), [(20, 0.5), (50, 0.8)])
def test_intervals_hold_the_truth(rows: int, rate: float) -> None:
    found = coverage(np.random.default_rng([rows, 2]), 400, rows, rate)
    assert len(found) == 6
    for name, share in found.items():
        assert share.value > 0.91, name


def test_what_looking_early_costs() -> None:
    found = power(np.random.default_rng(3), 500, 150, 0.5)
    once, planned = found["exact test, 1 look"].value, found["planned + betting, by n"].value
    assert once - 0.08 < planned <= once + 0.02
    assert found["betting, by n"].value < planned < found["planned + betting, by 2 n"].value


def test_it_measures_what_decide_does() -> None:
    rng = np.random.default_rng(4)
    chances = difficulty(rng, 20, 60, 0.6)
    variant, baseline = passes(rng, chances), passes(rng, 0.6 * chances)
    p_values = looked(variant, baseline, 2 * LOOKS).planned(LOOKS - 1)
    for one in range(20):
        tables = [[[float(each)] for each in side[one]] for side in (variant, baseline)]
        for look, rows in ((4, 15), (9, 30), (14, 45), (19, 60)):
            verdict = decide(tables[0][:rows], tables[1][:rows], planned=30, margin=0.0)
            assert verdict.difference.p == pytest.approx(min(1.0, p_values[one, look]), rel=1e-9)


def test_its_steps_of_holm_are_those_of_decide_all() -> None:
    p_values = np.random.default_rng(5).choice([0.001, 0.012, 0.014, 0.02, 0.03, 0.5], (4, 300, 1))
    for true in (0, 1):
        for found, ours in zip(holm_false(p_values, true), p_values[:, :, 0].T, strict=True):
            held = levels(ours.tolist(), ALPHA)
            assert found == any(ours[each] <= held[each] for each in range(true, 4))


def test_a_share_is_judged_with_the_error_of_its_simulation() -> None:
    assert not Share(6, 100).above(0.05) and Share(600, 10_000).above(0.05)
    assert str(Share(1, 8)) == "12.5"
