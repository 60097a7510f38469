"""What raters are shown: pairs in balance, sides that nobody can guess."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.stats import chisquare

from llamadiff.compare.rating.pairs import ENOUGH, Order, Pair, order, rounds

VARIANTS = ("A", "B", "C")
SEEDS = 1_800


def units(rows: int, repeats: int = 1) -> list[tuple[int, int]]:
    return [(row, repeat) for row in range(rows) for repeat in range(repeats)]


def drawn(rows: int, seed: int, *, repeats: int = 1, key: str = "k", same: int = 0) -> Order:
    """The order of one rater; `same` rows in every hundred have equal answers."""
    given = rounds(units(rows, repeats), VARIANTS, key)
    return order(given, seed, lambda pair: pair.row % 100 < same)


def test_every_pair_comes_once_and_variants_meet_evenly_at_every_moment() -> None:
    for seed in range(20):
        shown = drawn(31, seed).shown
        assert len({pair.key for pair in shown}) == len(shown) == 31 * 3
        assert {frozenset(each) for each in combinations(VARIANTS, 2)} == {p.names for p in shown}
        met: Counter[frozenset[str]] = Counter()
        for number, pair in enumerate(shown):
            met[pair.names] += 1
            assert max(met.values()) - min(met[n] for n in met) <= 3 or number < 3
        for turn in range(3):  # each row once in each round
            rows = [pair.row for pair in shown[turn * 31 : (turn + 1) * 31]]
            assert sorted(rows) == list(range(31))


@pytest.mark.parametrize(("rows", "repeats"), [(31, 1), (5, 4), (2, 1), (3, 3)])
def test_no_row_follows_itself(rows: int, repeats: int) -> None:
    for seed in range(200):
        shown = drawn(rows, seed, repeats=repeats).shown
        twice = [a for a, b in pairwise(shown) if a.row == b.row]
        assert not twice or rows == 2


def test_raters_are_asked_the_same_pairs_first_in_orders_of_their_own() -> None:
    one, other = drawn(120, 1), drawn(120, 2)
    assert one.goals == other.goals == [120, 240, 360]
    first = [{pair.key for pair in it.shown[:120]} for it in (one, other)]
    assert first[0] == first[1]
    assert [pair.row for pair in one.shown[:120]] != [pair.row for pair in other.shown[:120]]
    assert drawn(120, 1) == one


def test_goals_are_whole_rounds() -> None:
    assert drawn(40, 1).goals == [120]
    assert drawn(20, 1).goals == [60] and drawn(60, 1).goals == [120, 180]
    assert ENOUGH == 100
    it = drawn(60, 1)
    assert [it.goal(done) for done in (0, 119, 120, 121, 180, 999)] == [
        120,
        120,
        120,
        180,
        180,
        180,
    ]
    assert order([], 1, lambda pair: False).goal(0) == 0


def test_equal_answers_are_not_shown_and_known_by_when_they_would_have_come() -> None:
    it = drawn(100, 4, same=30)
    assert len(it.same) == 90 and len(it.shown) == 210
    assert all(pair.row >= 30 for pair in it.shown)
    assert [each.after for each in it.same] == sorted(each.after for each in it.same)
    assert sum(each.after <= 70 for each in it.same) in range(25, 36)
    lost = order(rounds(units(4), VARIANTS, "k"), 1, lambda pair: None if pair.row else False)
    assert {pair.row for pair in lost.shown} == {0} and not lost.same


@pytest.mark.parametrize("one_key", [False, True])
def test_sides_and_places_are_independent_of_the_variant(one_key: bool) -> None:
    """One look per seed at each place: how often each variant is there, first and second; over
    many evaluations, and over many raters of one."""
    keys = ["one" if one_key else f"evaluation {seed}" for seed in range(SEEDS)]
    orders = [drawn(6, seed, key=key) for seed, key in enumerate(keys)]
    worst = 1.0
    for place in range(18):
        pairs = [it.shown[place] for it in orders]
        for seen in (
            Counter(pair.first for pair in pairs),
            Counter(pair.second for pair in pairs),
            Counter((pair.first, pair.second) for pair in pairs),
            Counter(pair.row for pair in pairs),
        ):
            assert len(seen) in (3, 6)
            worst = min(worst, float(chisquare(list(seen.values())).pvalue))
    assert worst > 0.01 / (18 * 4)


def test_no_rule_guesses_a_side_from_those_before() -> None:
    """Who knew after each answer whose it was, and guesses the next side from all of that, is right
    as often as a coin: by any count of sides, by the last one, at any lag, after any two."""
    rows = 40
    sides = np.array(
        [
            [pair.first == "A" for pair in order(rounds(units(rows), ("A", "B"), f"{seed}"), seed, lambda pair: False).shown]
            for seed in range(SEEDS)
        ]
    )  # fmt: skip
    for lag in range(1, rows):
        again = sides[:, lag:] == sides[:, :-lag]
        assert abs(again.mean() - 0.5) < 5 * 0.5 / math.sqrt(again.size), lag
        at_a_place = again.mean(axis=0)
        assert np.abs(at_a_place - 0.5).max() < 5 * 0.5 / math.sqrt(SEEDS), lag
    before = np.cumsum(sides, axis=1)[:, :-1]
    lead = 2 * before - np.arange(1, rows)
    for least in (1, 2, 4, 8):
        right = (sides[:, 1:] == (lead < 0))[np.abs(lead) >= least]
        assert abs(right.mean() - 0.5) < 5 * 0.5 / math.sqrt(right.size), least
    for two in itertools.product((False, True), repeat=2):
        after = sides[:, 2:][(sides[:, :-2] == two[0]) & (sides[:, 1:-1] == two[1])]
        assert abs(after.mean() - 0.5) < 5 * 0.5 / math.sqrt(after.size), two


def test_sides_of_other_pairs_of_variants_tell_nothing_either() -> None:
    right: list[bool] = []
    for seed in range(SEEDS // 6):
        firsts: Counter[str] = Counter()
        for pair in drawn(20, seed, key=f"{seed}").shown:
            one, other = sorted(pair.names)
            if firsts[one] != firsts[other]:
                right.append((pair.first == one) == (firsts[one] < firsts[other]))
            firsts[pair.first] += 1
    assert abs(np.mean(right) - 0.5) < 5 * 0.5 / math.sqrt(len(right))


def test_a_pair_is_the_same_whichever_is_first() -> None:
    assert Pair(1, 0, "A", "B").key == Pair(1, 0, "B", "A").key != Pair(1, 1, "A", "B").key
