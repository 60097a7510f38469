"""What requirements are told where rows could not be scored."""

from __future__ import annotations

from dataclasses import replace

from llamadiff.compare.evaluation.answers import DIED
from llamadiff.compare.evaluation.decision.build import decision_of
from llamadiff.compare.evaluation.decision.table import written
from llamadiff.compare.evaluation.expression import parse_expression
from llamadiff.compare.evaluation.scoreboard import Pace, Scoreboard, levels_said, scoreboard
from llamadiff.compare.evaluation.settled import Settled

from .decision.made import evaluation, passing


def board(wanted: str, unscored: str = "") -> Scoreboard:
    """Plain is right on the first ten of twenty rows, tuned on all; `unscored` was not scored on the
    second ten."""
    scores = {"plain": [1.0] * 10 + [0.0] * 10, "tuned": [1.0] * 20, "combined": [0.0] * 20}
    plan, answers = evaluation(scores)
    plan = replace(plan, suite=replace(plan.suite, require=(parse_expression(wanted),)))
    return scoreboard(
        plan,
        [
            replace(it, score=None) if it.variant == unscored and it.row >= 10 else it
            for it in answers
        ],
    )


def test_scores_are_compared_over_common_rows() -> None:
    wanted = "tuned.score > plain.score and tuned.pass_rate > plain.pass_rate"
    assert board(wanted).requirements[0].met
    (found,) = board(wanted, "tuned").requirements
    assert not found.met and "tuned.score is 100 points, plain.score is 100 points" in found.figures
    (other,) = board(wanted, "combined").requirements  # which is not asked about
    assert other.met


def test_what_the_engine_died_with_makes_nobody_the_better() -> None:
    plan, answers = evaluation({"plain": [0.5] * 200, "tuned": [0.5] * 200})
    lost = [
        replace(it, score=None, error="died", finish_reason=DIED)
        if it.variant == "plain" and it.row < 24
        else it
        for it in answers
    ]
    base, tuned = scoreboard(plan, lost).lines
    assert tuned.verdict is not None and tuned.verdict.outcome == "undecided"
    assert (base.errors, base.unscored, base.score.mean) == (0, 24, 0.5)
    assert tuned.verdict.more_rows is None  # no row that is added can say what those were
    failed = [replace(it, finish_reason="error") if it.error else it for it in lost]
    (base, _) = scoreboard(plan, failed).lines
    assert (base.errors, base.unscored) == (24, 0) and base.score.mean < 0.5


def test_what_passed_is_counted_over_the_rows_of_the_score() -> None:
    plan, answers = evaluation({"plain": [1.0] * 10, "tuned": [1.0] * 10})
    half = [replace(it, score=None, error="too long") if it.row < 5 else it for it in answers]
    assert [it.pass_rate for it in scoreboard(plan, half).lines] == [1.0, 1.0]


def test_figures_are_told_in_the_units_of_the_scoreboard() -> None:
    asked = "score low difference difference_low pass_rate p verdict rows tokens ttft"
    wanted = " or ".join(f"tuned.{it} == 1" for it in asked.split() if it != "verdict")
    wanted += ' or tuned.verdict == "better" or plain.difference > 1'
    plan, answers = evaluation({"plain": passing(60, 0.1), "tuned": passing(60, 0.905)})
    plan = replace(plan, suite=replace(plan.suite, require=(parse_expression(wanted),)))
    paces = {it.name: Pace(5, 0.0123, 456.0) for it in plan.variants}
    found = scoreboard(plan, answers, paces).requirements[0].figures
    said = {name: value for name, _, value in (it.partition(" is ") for it in found.split(", "))}
    assert said["tuned.score"] == "91.67 points" and said["tuned.pass_rate"] == "91.67 %"
    assert said["tuned.difference"] == "+81.67 points"
    assert said["tuned.low"].endswith(" points") and said["tuned.difference_low"][0] == "+"
    assert float(said["tuned.p"]) < 1e-9 and said["tuned.verdict"] == "better"
    assert (said["tuned.rows"], said["tuned.ttft"]) == ("60", "12 ms")
    assert said["plain.difference"] == "not known"


def test_nothing_is_met_while_rows_are_missing() -> None:
    plan, answers = evaluation({"plain": [0.0] * 20, "tuned": [1.0] * 20})
    suite = replace(plan.suite, require=(parse_expression("tuned.score > 0.5"),))
    plan = replace(plan, suite=suite)
    assert scoreboard(plan, answers).met
    some = scoreboard(plan, [it for it in answers if it.row < 15])
    assert [it.met for it in some.requirements] == [None] and not some.met
    assert "tuned.score is 100 points" in some.requirements[0].figures


def test_planned_rows_that_are_gone_are_said_where_they_count() -> None:
    plan, answers = evaluation({"plain": passing(60, 0.1), "tuned": passing(60, 0.9)})
    texts = ("tuned.difference_low > 0.9", "tuned.score > 0.5", "plain.score < 0.5")
    require = tuple(map(parse_expression, texts))
    gone = Settled(plan.planned.keys | {"edited"}, 61, frozenset({"edited"}))
    plan = replace(plan, suite=replace(plan.suite, require=require), planned=gone)
    said = (
        "1 of the 61 rows planned is no longer in the dataset as planned: whichever variant is ahead "
        "counts as having lost it. Put it back word for word, or add rows, beside which it weighs less."
    )
    assert said == gone.said_of_gone
    compared, *scores = scoreboard(plan, answers).requirements
    assert compared.figures.endswith(f"; {said}")
    assert all("planned" not in it.figures for it in scores)
    decision = decision_of(plan, answers)
    assert decision is not None and written(decision).notes[-1] == said


def test_why_intervals_are_of_several_levels_is_said() -> None:
    scores = {"plain": passing(60, 0.1), "tuned": passing(60, 0.9), "combined": passing(60, 0.1)}
    plan, answers = evaluation(scores)
    found = scoreboard(plan, answers)
    assert {it.verdict.difference.interval.level for it in found.lines if it.verdict} == {0.975, 0.95}  # fmt: skip
    said = levels_said(found)
    assert said == (
        "The intervals of differences are of 97.5 % and 95 %: 2 comparisons share the 5 %, and one "
        "that is sure leaves its part to the others."
    )
    plan, answers = evaluation({kind: scores[kind] for kind in ("plain", "tuned")})
    assert levels_said(scoreboard(plan, answers)) == ""


def test_a_verdict_says_how_many_rows_could_not_be_scored() -> None:
    found = board("tuned.score > 0", "tuned").lines[1]
    assert "10 rows, 10 more could not be scored" in found.sentence
