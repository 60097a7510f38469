"""The verdict: what it is read from, its edges, and how many rows it asks for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from llamadiff.compare.statistics.anytime import compare_anytime, grouped, p_value
from llamadiff.compare.statistics.figures import Planned, Table
from llamadiff.compare.statistics.needed import MOST, rows_anytime, rows_once
from llamadiff.compare.statistics.once import mcnemar
from llamadiff.compare.statistics.rows import pair
from llamadiff.compare.statistics.verdict import ONCE, Verdict, decide_all
from llamadiff.compare.statistics.wording import sentence

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=60)


def tables(wins: int, losses: int, ties: int) -> tuple[Table, Table]:
    return (
        [[1.0]] * wins + [[0.0]] * losses + [[1.0]] * ties,
        [[0.0]] * wins + [[1.0]] * losses + [[1.0]] * ties,
    )


def decide(
    variant: Table, baseline: Table, *, planned: int | None = None, margin: float = 0.05
) -> Verdict:
    """With the first rows as those planned."""
    (found,) = decide_first({"": variant}, baseline, planned=planned, margin=margin).values()
    return found


def decide_first(
    variants: dict[str, Table], baseline: Table, *, planned: int | None, margin: float = 0.05
) -> dict[str, Verdict]:
    settled = {} if planned is None else dict.fromkeys(variants, Planned.first(planned, len(baseline)))  # fmt: skip
    return decide_all(variants, baseline, planned=settled, margin=margin)


def said(wins: int, losses: int, ties: int, planned: int | None = None) -> str:
    return sentence(decide(*tables(wins, losses, ties), planned=planned), "tuned", "base")


def test_a_winner_is_called_in_words_with_its_figures() -> None:
    assert decide(*tables(40, 8, 102)).outcome == "better"
    assert decide(*tables(8, 40, 102)).outcome == "worse"
    assert said(40, 8, 102).startswith("tuned is better than base (+21.3 points, 95 % interval +")
    assert said(8, 40, 102).startswith("base is better than tuned (-21.3 points, 95 % interval -")
    assert said(40, 8, 102).endswith(", 150 rows).")


def test_a_difference_within_the_margin_does_not_matter_even_if_it_is_sure() -> None:
    verdict = decide(*tables(60, 10, 4930))
    assert 0 not in verdict.difference.interval and verdict.outcome == "same"
    assert decide(*tables(60, 10, 4930), margin=0.005).outcome == "better"
    assert said(60, 10, 4930).startswith("tuned and base do not differ by more than 5 points (+1.0")


@pytest.mark.parametrize("planned", [None, 0, 1, 20])
def test_no_rows_one_row_all_ties_and_all_wins(planned: int | None) -> None:
    assert decide([], [], planned=planned).outcome == "undecided"
    assert decide([[]], [[1.0]], planned=planned).difference.left_out == 1
    assert decide([[1.0]], [[0.0]], planned=planned).outcome == "undecided"
    assert decide(*tables(0, 0, 20), planned=planned).outcome == "undecided"
    assert decide(*tables(20, 0, 0), planned=planned).outcome == "better"
    assert decide(*tables(0, 20, 0), planned=planned).outcome == "worse"
    assert decide(*tables(0, 0, 2000), planned=planned).outcome == "same"
    assert said(0, 0, 0, planned).startswith("Not decided: there are no rows")


def test_undecided_says_about_how_many_rows_are_missing() -> None:
    assert "would decide it" in said(12, 6, 82) and said(12, 6, 82).startswith("Not decided: about")
    assert decide([], []).more_rows is None
    assert decide(*tables(40, 8, 102)).more_rows is None
    halfway = decide(*tables(20, 6, 74), planned=150)
    assert (halfway.outcome, halfway.more_rows) == ("undecided", 50)
    assert "50 more rows" in sentence(halfway, "tuned", "base")


def test_a_tie_that_no_margin_makes_one_is_out_of_reach() -> None:
    verdict = decide(*tables(10, 10, 80), margin=0.0)
    assert verdict.outcome == "undecided" and verdict.more_rows is None
    assert f"not within {MOST:,} more rows" in sentence(verdict, "tuned", "base")


@settings(max_examples=150)
@given(ROWS, st.sampled_from([None, 10, 30, 60]))
def test_the_verdict_is_read_from_an_interval_that_agrees_with_p(
    rows: list[tuple[int, int]], planned: int | None
) -> None:
    variant, baseline = [[float(a)] for a, _ in rows], [[float(b)] for _, b in rows]
    verdict = decide(variant, baseline, planned=planned, margin=0.0)
    assert (verdict.outcome in ("better", "worse")) == (verdict.adjusted_p <= 0.05)
    mirrored = decide(baseline, variant, planned=planned, margin=0.0)
    other = {"better": "worse", "worse": "better"}.get(verdict.outcome, verdict.outcome)
    assert mirrored.outcome == other


def test_at_the_planned_rows_four_fifths_go_to_the_exact_test() -> None:
    variant, baseline = tables(26, 10, 114)
    exact = mcnemar(26, 10)
    anytime = compare_anytime(pair(variant, baseline))
    assert exact / ONCE < 0.05 < anytime.p
    assert decide(variant, baseline, planned=150).difference.p == pytest.approx(exact / ONCE)
    assert decide(variant, baseline, planned=150).outcome == "better"
    assert decide(variant, baseline, planned=200).outcome == "undecided"
    assert decide(variant, baseline).outcome == "undecided"


def test_the_planned_test_stays_what_it_was_when_rows_are_added() -> None:
    variant, baseline = tables(26, 10, 114)
    more = decide([*variant, [0.0]], [*baseline, [1.0]], planned=150)
    assert more.difference.p == pytest.approx(mcnemar(26, 10) / ONCE)
    assert more.difference.rows == 151


def test_rows_added_that_differ_from_the_planned_ones() -> None:
    wins, losses, ties = ([[1.0]] * 30, [[0.0]] * 30), ([[0.0]] * 45, [[1.0]] * 45), [[1.0]] * 400
    against = decide(wins[0] + losses[0], wins[1] + losses[1], planned=30)
    assert against.outcome == "undecided" and against.adjusted_p > 0.05
    fewer = decide(wins[0] + ties, wins[1] + ties, planned=30, margin=0.0)
    assert fewer.outcome == "better" and fewer.adjusted_p <= 0.05
    assert 0 < fewer.difference.interval.low < fewer.difference.mean
    assert fewer.difference.mean in fewer.difference.interval


def test_a_winner_of_the_planned_rows_that_all_rows_hardly_lean_to_is_none() -> None:
    (ours, theirs), (more, others) = tables(26, 8, 66), tables(10, 26, 264)
    assert decide(ours, theirs, planned=100).outcome == "better"
    assert not decide(ours, theirs, planned=100).faded
    for variant, baseline in (([*ours, *more], [*theirs, *others]), ([*theirs, *others], [*ours, *more])):  # fmt: skip
        found = decide(variant, baseline, planned=100, margin=0.0)
        assert (found.outcome, found.faded) == ("undecided", True) and found.adjusted_p > 0.05
        assert found.difference.mean in found.difference.interval
        said = sentence(found, "tuned", "base")
        assert said.startswith("Not decided: ") and said.endswith(
            "The planned rows alone have a winner, but all rows together hardly lean to it."
        )
    (more, others) = tables(20, 20, 260)
    leaning = decide([*ours, *more], [*theirs, *others], planned=100, margin=0.0)
    assert leaning.outcome == "better" and not leaning.faded
    assert not decide(*tables(12, 6, 82), planned=100).faded  # which has no winner


@settings(max_examples=100)
@given(ROWS, st.integers(5, 40), st.data())
def test_a_better_score_moves_both_ends_its_way(
    rows: list[tuple[int, int]], planned: int, data: st.DataObject
) -> None:
    variant, baseline = [[float(a)] for a, _ in rows], [[float(b)] for _, b in rows]
    raised = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    more = [[max(it, float(up))] for (it,), up in zip(variant, raised, strict=True)]
    before, after = (
        decide(it, baseline, planned=planned).difference.interval for it in (variant, more)
    )
    assert after.low >= before.low - 1e-8 and after.high >= before.high - 1e-8


def test_no_difference_found_at_the_planned_rows_stays_when_a_row_is_added() -> None:
    variant, baseline = tables(2, 2, 496)
    alone = decide(variant, baseline, planned=500, margin=0.02)
    more = decide([*variant, [1.0]], [*baseline, [0.0]], planned=500, margin=0.02)
    assert alone.outcome == more.outcome == "same"
    assert decide(variant, baseline, planned=600, margin=0.02).outcome == "undecided"


def test_several_variants_share_one_chance_of_a_false_winner() -> None:
    variant, baseline = tables(14, 4, 132)
    alone = decide(variant, baseline, planned=150)
    assert alone.difference.p == pytest.approx(mcnemar(14, 4) / ONCE)
    assert alone.outcome == "better"
    same, clear = baseline, tables(40, 4, 106)[0]
    verdicts = decide_first({"a": variant, "b": same, "c": same}, baseline, planned=150)
    assert verdicts["a"].outcome == "undecided"
    assert verdicts["a"].adjusted_p == pytest.approx(3 * alone.difference.p)
    assert verdicts["a"].difference.interval.level == pytest.approx(1 - 0.05 / 3)
    first = decide_first({"a": variant, "c": clear}, tables(14, 4, 132)[1], planned=150)
    assert first["c"].difference.interval.level == pytest.approx(0.975)


def test_graded_scores_are_decided_by_betting_with_all_of_the_error() -> None:
    rng = np.random.default_rng(4)
    baseline = [rng.random(3).tolist() for _ in range(150)]
    variant = [np.clip(np.array(row) + rng.normal(0.06, 0.2), 0, 1).tolist() for row in baseline]
    expected = compare_anytime(pair(variant, baseline))
    for planned in (None, 150, 300):
        difference = decide(variant, baseline, planned=planned).difference
        assert (difference.p, difference.interval) == (expected.p, expected.interval)


def test_losses_that_are_rare_and_large_buy_no_verdict() -> None:
    """Fifty small gains, or fifty small losses, say nothing of the one row in fifty that is lost."""
    gains: Table = [[0.587]] * 50
    assert decide(gains, [[0.5]] * 50, planned=50).outcome == "undecided"
    assert decide([[0.46]] * 50, [[0.5]] * 50, planned=50).outcome == "undecided"


def test_a_row_scored_under_one_of_the_two_counts_against_whichever_is_ahead() -> None:
    variant, baseline = tables(20, 2, 30)
    assert decide(variant, baseline, planned=52).outcome == "better"
    for ours, theirs in (([], [1.0]), ([1.0], [])):
        found = decide([*variant, *[ours] * 12], [*baseline, *[theirs] * 12], planned=64)
        assert found.outcome == "undecided" and found.difference.left_out == 12
        assert found.difference.interval.low <= 0 and found.difference.mean == 18 / 52
        assert "52 rows, 12 more could not be scored" in sentence(found, "tuned", "base")
    neither = decide([*variant, *[[]] * 12], [*baseline, *[[]] * 12], planned=64)
    assert neither.outcome == "better" and neither.difference.left_out == 12


def test_planned_rows_that_are_gone_count_against_whichever_is_ahead() -> None:
    variant, baseline = tables(26, 8, 100)
    whole = Planned.first(134, 134)
    assert decide_all({"": variant}, baseline, planned={"": whole})[""].outcome == "better"
    # Eight rows that were lost are taken out of the dataset: that buys nothing.
    variant, baseline = tables(26, 0, 100)
    few = Planned(range(126), gone=8)
    found = decide_all({"": variant}, baseline, planned={"": few})[""].difference
    assert found.p == pytest.approx(mcnemar(26, 8) / ONCE) and found.rows == 126


def test_the_planned_rows_may_stand_anywhere() -> None:
    wins, losses = tables(26, 10, 114), tables(0, 5, 20)
    variant, baseline = [*losses[0], *wins[0]], [*losses[1], *wins[1]]
    there = Planned(range(25, 175))
    found = decide_all({"": variant}, baseline, planned={"": there})[""]
    assert found.difference.p == pytest.approx(mcnemar(26, 10) / ONCE)


def test_what_is_missing_is_the_nearer_of_the_planned_rows_and_bettings_verdict() -> None:
    """Ten rows won of twelve do not need the other 488 of 500."""
    found = decide(*tables(10, 0, 2), planned=500)
    assert found.outcome == "undecided"
    assert found.more_rows is not None and 1 <= found.more_rows < 20


def test_the_rows_asked_for_have_the_power_promised() -> None:
    """Of McNemar's exact test and of betting, by enumeration and by simulation."""
    differences = np.array([1.0] * 300 + [-1.0] * 150 + [0.0] * 1550)
    enough = rows_once(differences, 0.05, 0.0)
    assert enough is not None
    power = 0.0
    for differing in range(enough + 1):
        chance = binom.pmf(differing, enough, 0.225)
        if chance > 1e-9:
            wins = np.arange(differing + 1)
            sure = [mcnemar(int(w), differing - int(w)) <= 0.05 for w in wins]
            power += chance * binom.pmf(wins, differing, 2 / 3)[sure].sum()
    assert 0.75 < power < 0.85

    enough = rows_anytime(differences, 0.05, 0.0)
    assert enough is not None
    counts = np.random.default_rng(0).multinomial(enough, [0.075, 0.775, 0.15], 4000)
    values = np.array([-1.0, 0.0, 1.0])
    power = float((p_value(values, counts.astype(float)) <= 0.05).mean())
    assert 0.75 < power < 0.85


def test_rows_for_a_difference_that_does_not_matter() -> None:
    differences = np.array([1.0, -1.0] * 20 + [0.0] * 360)
    once, anytime = (each(differences, 0.05, 0.05) for each in (rows_once, rows_anytime))
    assert once is not None and anytime is not None and once < anytime
    draws = np.random.default_rng(0).multinomial(anytime, [0.05, 0.9, 0.05], 4000)
    values = np.array([-1.0, 0.0, 1.0])
    apart = [p_value(values, draws.astype(float), mean) <= 0.05 for mean in (0.05, -0.05)]
    assert 0.75 < float((apart[0] & apart[1]).mean()) < 0.9
    assert rows_once(np.zeros(400), 0.05, 0.05) < once
    assert rows_once(np.array([]), 0.05, 0.05) is None is rows_anytime(np.array([]), 0.05, 0.05)
    assert math.isfinite(grouped(differences)[1].sum())
