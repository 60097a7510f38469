"""Student's interval against scipy's."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from llamadiff.compare.statistics.means import estimate_amount, t_value


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 12, 59, 199])
@pytest.mark.parametrize("tail", [0.025, 0.005])
def test_quantiles_are_students(freedom: int, tail: float) -> None:
    assert t_value(tail, freedom) == pytest.approx(stats.t.ppf(1 - tail, freedom), rel=1e-6)
    assert t_value(tail, 400) == pytest.approx(stats.t.ppf(1 - tail, 400), rel=7e-3)


def test_the_interval_of_a_mean() -> None:
    values = [0.012, 0.013, 0.011, 0.02, 0.012]
    found = estimate_amount(values)
    low, high = stats.t.interval(0.95, 4, loc=sum(values) / 5, scale=stats.sem(values))
    assert found is not None and found.rows == 5
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert estimate_amount([]) is None
    one = estimate_amount([3.0])
    assert one is not None and one.mean == 3 and math.isinf(one.interval.high)
