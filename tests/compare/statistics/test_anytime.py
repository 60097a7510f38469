"""The comparison that is valid at every look: its formula, its agreement, and what it holds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.statistics.anytime import (
    LOG_SHARES,
    STAKES,
    compare_anytime,
    grouped,
    interval,
    log_money,
    p_value,
)
from llamadiff.compare.statistics.rows import Pairs

DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, -0.1, 0.0, 0.1, 0.3, 1.0]), max_size=60)


def test_the_money_is_that_of_betting_row_after_row() -> None:
    differences = np.array([0.5, -0.25, 1.0, 0.0, 0.5, -0.1])
    for mean in (0.0, 0.2, -0.4):
        money = 0.0
        for stake, share in zip(STAKES, np.exp(LOG_SHARES), strict=True):
            one = share
            for difference in differences:
                one *= 1 + stake * (difference - mean) / (1 + mean)
            money += one
        values, counts = grouped(differences)
        assert math.exp(log_money(values, counts, mean)) == pytest.approx(money, rel=1e-12)


def test_no_strategy_gains_on_average_when_the_mean_is_as_tested() -> None:
    """Over all patterns of 8 rows with the chances of a mean of exactly 0.2."""
    values, chances = np.array([-1.0, 0.0, 1.0]), np.array([0.1, 0.6, 0.3])
    total = 0.0
    for losses in range(9):
        for ties in range(9 - losses):
            counts = np.array([losses, ties, 8 - losses - ties], dtype=float)
            ways = math.factorial(8) / math.prod(math.factorial(int(c)) for c in counts)
            chance = ways * float(np.prod(chances**counts))
            total += chance * math.exp(log_money(values, counts, 0.2))
    assert total == pytest.approx(1.0, rel=1e-12)
    assert np.exp(LOG_SHARES).sum() == pytest.approx(1.0)


@given(DIFFERENCES, st.floats(0.8, 0.999))
def test_the_interval_agrees_with_the_test(differences: list[float], level: float) -> None:
    found = compare_anytime(Pairs.of(np.array(differences), pass_fail=False), level)
    assert (found.p <= 1 - level) == (0 not in found.interval)
    assert found.mean in found.interval
    assert found.interval.low >= -1 and found.interval.high <= 1


@given(DIFFERENCES.filter(bool))
def test_what_the_interval_leaves_out_is_rejected(differences: list[float]) -> None:
    values, counts = grouped(np.array(differences))
    found = interval(values, counts)
    for mean in np.linspace(-0.99, 0.99, 23):
        if abs(mean - found.low) > 1e-6 and abs(mean - found.high) > 1e-6:
            assert (p_value(values, counts, float(mean)) > 0.05) == (float(mean) in found)


@given(DIFFERENCES, st.randoms())
def test_the_order_of_the_rows_does_not_matter(differences: list[float], random: object) -> None:
    turned = [-each for each in reversed(differences)]
    one = compare_anytime(Pairs.of(np.array(differences), pass_fail=False))
    other = compare_anytime(Pairs.of(np.array(turned), pass_fail=False))
    assert one.p == pytest.approx(other.p, rel=1e-9)
    assert (one.interval.low, one.interval.high) == pytest.approx(
        (-other.interval.high, -other.interval.low), abs=1e-8
    )


def test_a_loss_ruins_whoever_staked_everything_and_nobody_else() -> None:
    values, counts = np.array([-1.0, 1.0]), np.array([1.0, 30.0])
    without = [stake for stake in STAKES if stake < 1]
    expected = sum(
        math.exp(share) * (1 - stake) * (1 + stake) ** 30
        for stake, share in zip(STAKES, LOG_SHARES, strict=True)
        if stake in without
    )
    assert math.exp(log_money(values, counts, 0.0)) == pytest.approx(expected, rel=1e-12)
    none = math.exp(log_money(values, np.array([0.0, 3.0]), 0.0))
    assert none == pytest.approx(sum(np.exp(LOG_SHARES) * (1 + STAKES) ** 3))


def test_many_comparisons_at_once_are_those_one_by_one() -> None:
    values = np.array([-1.0, 0.0, 1.0])
    counts = np.random.default_rng(0).integers(0, 40, (5, 4, 3)).astype(float)
    together = p_value(values, counts)
    assert together.shape == (5, 4)
    assert together[3, 2] == pytest.approx(float(p_value(values, counts[3, 2])))
