"""The paired comparison of a single look, against scipy and direct computation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from llamadiff.compare.statistics.once import compare_once, mcnemar, tango, tango_z
from llamadiff.compare.statistics.rows import Pairs, pair


def pass_fail(wins: int, losses: int, ties: int) -> Pairs:
    return Pairs.of(np.array([1.0] * wins + [-1.0] * losses + [0.0] * ties), pass_fail=True)


@pytest.mark.parametrize(
    ("wins", "losses"),
    [(1, 0), (6, 0), (0, 6), (5, 5), (12, 3), (30, 12), (480, 560), (700, 560), (5000, 4800)],
)  # fmt: skip
def test_mcnemar_is_the_binomial_test_of_the_rows_that_differ(wins: int, losses: int) -> None:
    assert mcnemar(wins, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue, rel=1e-9)


def test_without_rows_that_differ_there_is_no_evidence() -> None:
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize(
    ("wins", "losses", "rows", "difference"),
    [(8, 2, 50, 0.0), (8, 2, 50, 0.2), (30, 12, 150, -0.05), (3, 0, 20, 0.4), (0, 0, 20, 0.1)],
)
def test_the_score_statistic_is_that_of_the_restricted_maximum_likelihood(
    wins: int, losses: int, rows: int, difference: float
) -> None:
    def against(share: float) -> float:
        """Less the log-likelihood, with `share` of the rows lost and share + difference won."""
        won = share + difference
        cells = ((wins, won), (losses, share), (rows - wins - losses, 1 - won - share))
        if any(count and chance <= 0 for count, chance in cells):
            return math.inf
        return -sum(count * math.log(chance) for count, chance in cells if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    share = minimize_scalar(
        against, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    ).x
    variance = rows * (2 * share + difference - difference**2)
    expected = (wins - losses - rows * difference) / math.sqrt(variance)
    assert tango_z(wins, losses, rows, difference) == pytest.approx(expected, rel=1e-5)


def test_at_no_difference_the_score_statistic_is_mcnemars() -> None:
    assert tango_z(30, 12, 150, 0.0) == pytest.approx((30 - 12) / math.sqrt(42))


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 200), st.floats(0.9, 0.998))
def test_intervals_for_pass_fail_agree_with_the_test(
    wins: int, losses: int, ties: int, level: float
) -> None:
    found = compare_once(pass_fail(wins, losses, ties), level)
    assert (found.p <= 1 - level) == (0 not in found.interval)
    assert found.mean in found.interval and found.rows == wins + losses + ties
    other = compare_once(pass_fail(losses, wins, ties), level)
    assert (other.interval.low, other.interval.high) == pytest.approx(
        (-found.interval.high, -found.interval.low), abs=1e-8
    )


def test_where_the_score_interval_is_bolder_than_the_exact_test_it_is_extended() -> None:
    assert mcnemar(5, 0) > 0.05 and 0 not in tango(5, 0, 40)
    found = compare_once(pass_fail(5, 0, 35))
    assert found.interval.low == 0 and found.interval.high == tango(5, 0, 40).high


def test_the_ends_of_tangos_interval_are_where_its_statistic_is_196() -> None:
    interval = tango(30, 12, 150)
    assert tango_z(30, 12, 150, interval.low) == pytest.approx(1.959964, abs=1e-6)
    assert tango_z(30, 12, 150, interval.high) == pytest.approx(-1.959964, abs=1e-6)


def test_rows_that_all_tie_leave_room_for_rows_that_do_not() -> None:
    z2 = 1.959964**2
    interval = tango(0, 0, 20)
    assert (interval.low, interval.high) == pytest.approx((-z2 / (20 + z2), z2 / (20 + z2)))


def test_rows_without_a_score_are_left_out_and_said() -> None:
    found = compare_once(pair([[1.0], [], [1.0], [0.0]], [[0.0], [1.0], [], [0.0]]))
    assert (found.wins, found.losses, found.ties, found.left_out) == (1, 0, 1, 2)
    with pytest.raises(ValueError, match="cannot be paired"):
        pair([[1.0]], [])
