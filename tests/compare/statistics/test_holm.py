"""Holm's correction, against closed testing, of which it is a quick way."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.statistics.holm import holm, levels

P_VALUES = st.lists(
    st.floats(1e-9, 1.0) | st.sampled_from([0.01, 0.025, 0.05]), min_size=1, max_size=9
)


@settings(deadline=None)
@given(P_VALUES)
def test_adjusted_p_values_are_those_of_closed_testing(p_values: list[float]) -> None:
    """A hypothesis falls with every group that it is in: the worst of their Bonferroni tests."""
    everyone = range(len(p_values))
    worst = [0.0] * len(p_values)
    for size in range(1, len(p_values) + 1):
        for group in combinations(everyone, size):
            bonferroni = min(1.0, size * min(p_values[i] for i in group))
            for i in group:
                worst[i] = max(worst[i], bonferroni)
    assert holm(p_values) == pytest.approx(worst, abs=1e-12)


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
