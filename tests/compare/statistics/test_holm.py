"""Holm's correction, against statsmodels'."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from llamadiff.compare.statistics.holm import holm, levels

P_VALUES = st.lists(
    st.floats(1e-9, 1.0) | st.sampled_from([0.01, 0.025, 0.05]), min_size=1, max_size=9
)


@settings(max_examples=30, deadline=None)
@given(P_VALUES)
def test_adjusted_p_values_equal_statsmodels(p_values: list[float]) -> None:
    theirs = multipletests(p_values, alpha=0.05, method="holm")[1]
    assert holm(p_values) == pytest.approx(theirs.tolist(), abs=1e-12)


@given(P_VALUES, st.floats(0.001, 0.2))
def test_levels_decide_as_the_adjusted_p_values_do(p_values: list[float], alpha: float) -> None:
    decided = [p <= level for p, level in zip(p_values, levels(p_values, alpha), strict=True)]
    near = [abs(each - alpha) < 1e-9 for each in holm(p_values)]
    wanted = [each <= alpha for each in holm(p_values)]
    assert all(a == b or c for a, b, c in zip(decided, wanted, near, strict=True))


def test_the_levels_of_three_variants() -> None:
    assert levels([0.04, 0.001, 0.03], 0.06) == [0.06, 0.02, 0.03]
    assert levels([0.5, 0.001, 0.04], 0.06) == [0.03, 0.02, 0.03]
    assert holm([]) == [] and levels([], 0.05) == []
