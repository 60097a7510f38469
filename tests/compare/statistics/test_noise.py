"""The noise floor, against runs of one variant against itself."""

import numpy as np
import pytest

from llamadiff.compare.statistics.figures import Interval
from llamadiff.compare.statistics.noise import noise_floor


def test_its_reach_holds_95_of_100_differences_of_a_variant_with_itself() -> None:
    rng = np.random.default_rng(1)
    rates = rng.beta(2, 1, 150)
    floors, apart = [], []
    for _ in range(1500):
        runs = (rng.random((2, 150, 3)) < rates[:, None]).astype(float)
        floors.append(noise_floor(runs[0].tolist(), 3).interval.high)
        apart.append(abs(runs[0].mean() - runs[1].mean()))
    assert 0.93 < float((np.array(apart) <= floors).mean()) < 0.97


def test_more_repeats_in_the_comparison_lower_it() -> None:
    table = [[0.0, 1.0], [1.0, 1.0], [0.0, 0.5, 1.0]]
    one, four = noise_floor(table, 1), noise_floor(table, 4)
    assert four.interval.high == pytest.approx(one.interval.high / 2)
    assert one.interval.high == pytest.approx(1.959964 * np.sqrt(2 * (0.5 + 0.25)) / 3)
    assert one.changing == pytest.approx((1 + 0 + 1) / 3) and one.rows == 3


def test_a_variant_that_always_says_the_same_has_none_and_without_repeats_it_is_unknown() -> None:
    assert noise_floor([[1.0, 1.0], [0.5, 0.5]], 2).interval == Interval(-0.0, 0.0)
    for table in ([], [[1.0], []]):
        unknown = noise_floor(table, 1)
        assert unknown.interval == Interval(-1.0, 1.0) and unknown.rows == 0
