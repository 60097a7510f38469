"""The ranking from blind ratings, against direct maximisation and logistic regression."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from llamadiff.compare.statistics.ranking import Choice, Ranked, Rating, rank


def rated(one: str, two: str, /, **counts: int) -> list[Rating]:
    choices: dict[str, Choice] = {"first": "first", "second": "second", "tie": "tie", "bad": "both bad"}  # fmt: skip
    return [
        Rating(one, two, choices[choice]) for choice, count in counts.items() for _ in range(count)
    ]


SOME = [
    *rated("a", "b", first=14, second=6, tie=3),
    *rated("c", "b", first=5, second=9, bad=4),
    *rated("c", "a", first=3, second=11, tie=1),
]


def penalised(strengths: dict[str, float], tie: float, ratings: list[Rating]) -> float:
    """Davidson's log-likelihood written out, with the log-F(1, 1) priors."""
    total = 0.0
    for parameter in (*strengths.values(), tie):
        total += parameter / 2 - math.log1p(math.exp(parameter))
    for rating in ratings:
        one, two = math.exp(strengths[rating.first]), math.exp(strengths[rating.second])
        draw = math.exp(tie) * math.sqrt(one * two)
        share = {"first": one, "second": two}.get(rating.choice, draw)
        total += math.log(share / (one + two + draw))
    return total


def test_it_is_the_maximum_of_the_penalised_likelihood() -> None:
    def against(x: np.ndarray) -> float:
        return -penalised({"a": x[0], "b": x[1], "c": -x[0] - x[1]}, x[2], SOME)

    found = minimize(against, np.zeros(3), method="BFGS", options={"gtol": 1e-8})
    ours = {each.name: each.strength for each in rank(SOME)}
    assert [ours["a"], ours["b"]] == pytest.approx(found.x[:2].tolist(), abs=1e-4)
    assert sum(ours.values()) == pytest.approx(0.0, abs=1e-9)


def test_an_end_of_an_interval_is_where_the_best_likelihood_has_fallen_by_192() -> None:
    (ours,) = [each for each in rank(SOME) if each.name == "a"]

    def best(held: float | None) -> float:
        def against(x: np.ndarray) -> float:
            a = held if held is not None else x[2]
            return -penalised({"a": a, "b": x[0], "c": -a - x[0]}, x[1], SOME)

        return -minimize(against, np.zeros(3 if held is None else 2), options={"gtol": 1e-8}).fun

    for end in (ours.interval.low, ours.interval.high):
        assert best(None) - best(end) == pytest.approx(1.959964**2 / 2, abs=1e-4)


def test_with_many_ratings_and_no_ties_it_is_a_logistic_regression() -> None:
    names, wins = "abc", {("a", "b"): (900, 500), ("a", "c"): (1000, 300), ("b", "c"): (800, 450)}
    ratings: list[Rating] = []
    for (one, two), (first, second) in wins.items():
        ratings += rated(one, two, first=first, second=second)
    compared = np.array(
        [[float((name == one) - (name == two)) for name in names[:2]] for one, two in wins]
    )
    first, second = np.array(list(wins.values())).T

    def against(x: np.ndarray) -> float:
        """Less the log-likelihood of strengths beside c's."""
        worth = compared @ x
        return float(first @ np.logaddexp(0, -worth) + second @ np.logaddexp(0, worth))

    a, b = fit = minimize(against, np.zeros(2), options={"gtol": 1e-6}).x
    chance = 1 / (1 + np.exp(-compared @ fit))
    information = compared.T * ((first + second) * chance * (1 - chance)) @ compared
    covariance = np.linalg.inv(information)
    centred = np.array([a, b, 0.0]) - (a + b) / 3
    ours = {each.name: each for each in rank(ratings)}
    assert [ours[name].strength for name in names] == pytest.approx(centred.tolist(), abs=0.01)
    error = math.sqrt(np.array([2, -1]) @ covariance @ np.array([2, -1])) / 3
    width = ours["a"].interval.high - ours["a"].interval.low
    assert width == pytest.approx(2 * 1.959964 * error, rel=0.02)


def test_a_variant_that_never_lost_is_first_and_finite_and_surer_below_than_above() -> None:
    first, *_ = rank(rated("a", "b", first=8) + rated("b", "c", first=4, second=4))
    assert first.name == "a" and 0 < first.strength < 5 and first.losses == 0
    assert first.strength - first.interval.low < first.interval.high - first.strength < 10
    assert first.interval.low > 0 and 0.5 < first.chance < 1
    assert first.chance_interval.low < first.chance < first.chance_interval.high


def test_intervals_hold_the_true_strengths() -> None:
    rng = np.random.default_rng(2)
    true = {"a": 0.8, "b": 0.0, "c": -0.8}
    held = 0
    for _ in range(40):
        ratings = []
        for one, two in itertools.permutations(true, 2):
            for _ in range(12):
                worth = np.array(
                    [true[one] + 0.4, true[two] - 0.4, -0.7 + (true[one] + true[two]) / 2]
                )
                chances = np.exp(worth) / np.exp(worth).sum()
                choice: Choice = rng.choice(["first", "second", "tie"], p=chances)
                ratings.append(Rating(one, two, choice, "ann"))
        held += sum(true[each.name] in each.interval for each in rank(ratings))
    assert 0.91 < held / 120 < 0.99


def test_what_a_place_is_worth_to_each_rater_is_no_strength() -> None:
    """Equal variants, one of them shown first in 70 of 100 pairs, to one who mostly takes the first
    and one who mostly takes the second of other pairs."""
    told = [
        *(Rating("a", "b", "first", "ann"),) * 56, *(Rating("a", "b", "second", "ann"),) * 14,
        *(Rating("b", "a", "first", "ann"),) * 24, *(Rating("b", "a", "second", "ann"),) * 6,
        *(Rating("b", "a", "second", "bob"),) * 40, *(Rating("b", "a", "first", "bob"),) * 10,
    ]  # fmt: skip
    for one in rank(told):
        assert one.strength == pytest.approx(0.0, abs=0.02) and 0 in one.interval
    misled, _ = rank(replace(it, rater=None) for it in told)
    assert misled.name == "a" and misled.interval.low > 0.1
    (best, _), (alone, _) = rank(told + rated("a", "b", tie=9)), rank(rated("a", "b", first=20))
    assert best.strength == pytest.approx(0.0, abs=0.02)
    placed, _ = rank(replace(it, rater="ann") for it in rated("a", "b", first=20))
    assert 0 < placed.strength < alone.strength, (
        "one who only saw it first may have liked the place"
    )


def test_it_is_the_maximum_of_the_penalised_likelihood_with_places_too() -> None:
    told = [replace(it, rater="xyz"[number % 3]) for number, it in enumerate(SOME)]

    def against(x: np.ndarray) -> float:
        strengths = {"a": x[0], "b": x[1], "c": -x[0] - x[1]}
        places = dict(zip("xyz", x[3:], strict=True))
        total = 0.0
        for parameter in (*strengths.values(), x[2], *places.values()):
            total += parameter / 2 - math.log1p(math.exp(parameter))
        for it in told:
            half = places[it.rater or ""] / 2
            one, two = math.exp(strengths[it.first] + half), math.exp(strengths[it.second] - half)
            draw = math.exp(x[2]) * math.sqrt(one * two)
            total += math.log(
                {"first": one, "second": two}.get(it.choice, draw) / (one + two + draw)
            )
        return -total

    found = minimize(against, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    ours = {each.name: each.strength for each in rank(told)}
    assert [ours["a"], ours["b"]] == pytest.approx(found.x[:2].tolist(), abs=1e-4)


def test_order_side_and_skipping_change_nothing() -> None:
    swapped: dict[Choice, Choice] = {"first": "second", "second": "first"}
    other = [
        Rating(each.second, each.first, swapped.get(each.choice, each.choice))
        for each in reversed(SOME)
    ]
    for one, two in zip(rank(SOME), rank(other), strict=True):
        assert one.name == two.name and one.strength == pytest.approx(two.strength, abs=1e-9)
        assert tally(one) == tally(two)
    assert tally(rank(SOME)[0]) == ("a", 25, 9, 4, 0)


def tally(ranked: Ranked) -> tuple[str, int, int, int, int]:
    return ranked.name, ranked.wins, ranked.losses, ranked.ties, ranked.both_bad


def test_the_edges() -> None:
    assert rank([]) == []
    tied = rank(rated("a", "b", tie=3, bad=2))
    assert [each.strength for each in tied] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert [each.name for each in tied] == ["a", "b"]
    assert tied[0].both_bad == 2 and tied[0].interval.low < 0 < tied[0].interval.high
    apart = rank(rated("a", "b", first=3) + rated("c", "d", first=3))
    assert {each.name for each in apart[:2]} == {"a", "c"}
    assert all(math.isfinite(each.interval.high) for each in apart)
    with pytest.raises(ValueError, match="against itself"):
        rank([Rating("a", "a", "tie")])
