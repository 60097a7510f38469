"""The paired comparison of a single look, against scipy and direct computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, permutation_test

from llamadiff.compare.statistics.once import (
    compare_once,
    mcnemar,
    sign_flip,
    tango,
    tango_z,
)
from llamadiff.compare.statistics.rows import Pairs, pair

SCORES = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 1.0])


def pass_fail(wins: int, losses: int, ties: int) -> Pairs:
    return Pairs(np.array([1.0] * wins + [-1.0] * losses + [0.0] * ties), True)


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
    _, flipped = sign_flip(np.zeros(20))
    assert flipped.high == pytest.approx(1 - 0.025 ** (1 / 20)) and flipped.low == -flipped.high


@pytest.mark.parametrize("count", [2, 5, 9, 12])
def test_all_patterns_of_signs_equal_scipys(count: int) -> None:
    rng = np.random.default_rng(count)
    for spread in (0.1, 0.6):
        differences = np.round(np.clip(rng.normal(0.15, spread, count), -1, 1), 3)
        theirs = permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
        ).pvalue
        assert sign_flip(differences)[0] == pytest.approx(theirs, rel=1e-9)


def test_random_signs_come_near_scipys_and_a_seed_repeats_them() -> None:
    differences = np.round(np.random.default_rng(3).normal(0.03, 0.2, 150), 3)
    theirs = permutation_test(
        (differences,),
        lambda values, axis: values.mean(axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(1),
    ).pvalue
    assert sign_flip(differences)[0] == pytest.approx(theirs, abs=0.02)
    assert sign_flip(differences, seed=5) == sign_flip(differences, seed=5)


def test_flipping_passes_and_failures_is_mcnemars_test() -> None:
    differences = pass_fail(9, 2, 2).differences
    assert sign_flip(differences)[0] == pytest.approx(mcnemar(9, 2))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(SCORES, SCORES), max_size=25), st.sampled_from([0.9, 0.95, 0.99]))
def test_intervals_for_scores_agree_with_the_test(
    rows: list[tuple[float, float]], level: float
) -> None:
    pairs = pair([[a, a] for a, _ in rows], [[b, b] for _, b in rows])
    found = compare_once(pairs, level)
    assert (found.p <= 1 - level) == (0 not in found.interval)
    assert found.mean in found.interval
    assert -1 <= found.interval.low <= found.interval.high <= 1


def test_the_means_that_the_interval_leaves_out_are_those_the_test_rejects() -> None:
    differences = np.round(np.random.default_rng(9).normal(0.05, 0.3, 12), 3)
    _, interval = sign_flip(differences)

    def p(mean: float) -> float:
        return permutation_test(
            (differences - mean,), np.mean, permutation_type="samples", n_resamples=np.inf
        ).pvalue

    unseen = 1 - 0.025 ** (1 / 12)
    widest = differences.mean() + unseen * (np.abs(differences).max() - differences.mean())
    for end, outwards in ((interval.low, -1e-6), (interval.high, 1e-6)):
        assert p(end - outwards) > 0.05
        assert p(end + outwards) <= 0.05 or abs(end) == pytest.approx(abs(widest))


def test_rows_without_a_score_are_left_out_and_said() -> None:
    found = compare_once(pair([[1.0], [], [1.0], [0.0]], [[0.0], [1.0], [], [0.0]]))
    assert (found.wins, found.losses, found.ties, found.left_out) == (1, 0, 1, 2)
    with pytest.raises(ValueError, match="cannot be paired"):
        pair([[1.0]], [])


def test_repeats_do_not_make_a_difference_surer() -> None:
    variant, baseline = [[1.0], [1.0], [0.0], [1.0]] * 5, [[0.0], [1.0], [0.0], [0.0]] * 5
    once = compare_once(pair([row * 2 for row in variant], [row * 2 for row in baseline]))
    often = compare_once(pair([row * 30 for row in variant], [row * 30 for row in baseline]))
    assert often == once
