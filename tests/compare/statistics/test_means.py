"""Intervals of rates and mean scores, against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap

from llamadiff.compare.statistics.means import RESAMPLES, bootstrap, estimate, wilson
from llamadiff.compare.statistics.rows import row_means


@given(st.integers(1, 2000), st.data(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_equals_scipys(rows: int, data: st.DataObject, level: float) -> None:
    passed = data.draw(st.integers(0, rows))
    theirs = binomtest(passed, rows).proportion_ci(level, method="wilson")
    ours = wilson(passed, rows, level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert passed / rows in ours and 0 <= ours.low < ours.high <= 1


@pytest.mark.parametrize(("shape", "count"), [((8, 2), 20), ((1, 1), 50), ((0.3, 3), 150)])
def test_the_bootstrap_equals_scipys_with_the_same_draws(
    shape: tuple[float, float], count: int
) -> None:
    means = np.random.default_rng(count).beta(*shape, count)
    theirs = scipy_bootstrap(
        (means,),
        np.mean,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(7),
    ).confidence_interval
    ours = bootstrap(means, seed=7)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_repeats_are_one_row_and_not_more_data() -> None:
    once = [[1.0], [0.5], [0.0], [0.5], [1.0], [1.0], [0.25], [0.75]]
    often = [row * 40 for row in once]
    assert estimate(often).interval == estimate(once).interval
    assert estimate(often).rows == 8
    assert row_means([[1.0, 0.0], [0.0, 0.5, 1.0, 1.0]]).tolist() == [0.5, 0.625]


def test_pass_and_fail_take_wilson_and_scores_the_bootstrap() -> None:
    passes = estimate([[1.0], [0.0], [], [1.0]])
    assert passes.rows == 3 and passes.interval == wilson(2, 3) and passes.method == "Wilson"
    assert passes.mean == pytest.approx(2 / 3)
    assert estimate([[1.0, 0.0], [1.0, 1.0]]).method.startswith("BCa")


@pytest.mark.parametrize("table", [[], [[]], [[0.4]], [[0.4]] * 9, [[1.0, 1.0]] * 9])
def test_rows_that_say_nothing_of_their_spread_still_have_a_wide_interval(
    table: list[list[float]],
) -> None:
    found = estimate(table)
    assert found.mean in found.interval
    assert found.interval.high - found.interval.low > 0.25


def test_a_score_outside_0_to_1_is_an_error() -> None:
    for score in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            row_means([[0.5], [score]])
