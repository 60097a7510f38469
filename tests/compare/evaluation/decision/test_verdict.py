"""The table and its sentence: what each branch says, with no figure that the table has not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.checks.result import Result
from llamadiff.compare.evaluation.decision import build
from llamadiff.compare.evaluation.decision.build import decision_of
from llamadiff.compare.evaluation.decision.document import decision_document
from llamadiff.compare.evaluation.decision.figures import BreakEven, Decision, Elsewhere
from llamadiff.compare.evaluation.decision.table import written
from llamadiff.compare.evaluation.decision.words import after, lead, saves, score
from llamadiff.compare.evaluation.scoreboard import Pace
from llamadiff.compare.statistics.figures import Estimate, Interval, Planned
from llamadiff.compare.statistics.means import estimate
from llamadiff.compare.statistics.ranking import Rating
from llamadiff.compare.statistics.verdict import decide
from llamadiff.models.adapters.training import Training, read_training

from .made import ADAPTER, ENGINEERED, PLAIN, Scores, answer, evaluation, passing, plan_of, variant
from .said import wrong_figures

FAST, SLOW = (0.01, 0.011, 0.012, 0.01, 0.011), (0.02, 0.022, 0.021, 0.02, 0.021)


def paces(prompted: tuple[float, ...], tuned: tuple[float, ...]) -> dict[str, Pace]:
    seconds = {"plain": tuned, "prompted": prompted, "tuned": tuned, "combined": prompted}
    return {name: Pace(5, 0.1, 10.0, them) for name, them in seconds.items()}


def elsewhere(rows: int = 60, name: str = "Support") -> Elsewhere:
    base, tuned = passing(rows, 0.8), passing(rows, 0.2)
    tables = [[[it] for it in them] for them in (base, tuned)]
    verdict = decide(tables[1], tables[0], planned=Planned.first(rows, rows))
    return Elsewhere(name, False, "sentiment@1", estimate(tables[0]), estimate(tables[1]), verdict)


def decided(scores: Scores, new: int = 0, **options: object) -> Decision:
    found = decision_of(*evaluation(scores, new=new), **options)  # type: ignore[arg-type]
    assert found is not None
    return found


N = 300
BRANCHES = {
    "neither": ({"plain": 0.8, "prompted": 0.8, "tuned": 0.8, "combined": 0.8}, "Neither: the plain prompt (plain) is as good as"),
    "prompt": ({"plain": 0.2, "prompted": 0.8, "tuned": 0.8, "combined": 0.8}, "costs nothing to make"),
    "prompt ahead": ({"plain": 0.2, "prompted": 0.9, "tuned": 0.5, "combined": 0.6}, "and is better than the adapter by 40.0 points"),
    "fine-tune": ({"plain": 0.2, "prompted": 0.6, "tuned": 0.9, "combined": 0.9}, "Fine-tune: the adapter (tuned) is better than the engineered prompt by 30.0 points"),
    "both": ({"plain": 0.1, "prompted": 0.4, "tuned": 0.6, "combined": 0.9}, "Both together: the engineered prompt on the adapter (combined) is better than"),
    "no prompt": ({"plain": 0.2, "tuned": 0.9}, "Fine-tune: the adapter (tuned) is better than the plain prompt by 70.0 points"),
}  # fmt: skip


@pytest.mark.parametrize("name", BRANCHES)
def test_what_is_said(name: str) -> None:
    shares, said = BRANCHES[name]
    found = decided(
        {kind: passing(N, share) for kind, share in shares.items()},
        paces=paces(SLOW, FAST),
        elsewhere=[elsewhere(), elsewhere(5, "General")],
    )
    assert "General" not in written(found).verdict  # five rows show no loss
    texts = written(found)
    assert said.removeprefix("and ") in texts.verdict
    assert not wrong_figures(found), texts.verdict
    loses = "it loses 60.0 points" in texts.verdict and "on Support" in texts.verdict
    assert loses == (found.ruling.pick in ("tuned", "combined"))
    assert json.loads(json.dumps(decision_document(found), allow_nan=False))["verdict"]


def test_what_is_not_decided_says_how_many_rows_are_missing() -> None:
    scores = {"plain": passing(40, 0.1), "prompted": passing(40, 0.7), "tuned": passing(40, 0.8, 7)}
    found = decided(scores)
    texts = written(found)
    assert re.match(r"Not decided: .* the adapter \+10\.0 .*; about [\d,]+ more rows would", texts.verdict)  # fmt: skip
    assert not wrong_figures(found)
    # Only whether both add something is open: the question itself is decided.
    scores = {
        "plain": passing(90, 0.1), "prompted": passing(90, 0.3), "tuned": passing(90, 0.8),
        "combined": passing(90, 0.84, 11),
    }  # fmt: skip
    found = decided(scores)
    assert found.ruling.outcome == "fine-tune" and len(found.ruling.open) == 1
    texts = written(found)
    assert "Whether the engineered prompt on the adapter is better still is not decided" in texts.verdict  # fmt: skip
    assert not wrong_figures(found)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.75, 0.8, 0.95]), min_size=4, max_size=4),
    st.sampled_from([8, 30, 120]),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.booleans(),
    st.integers(0, 8),
)
def test_no_figure_is_said_that_is_not_in_the_table(
    shares: list[float], rows: int, offsets: list[int], swap: bool, new: int
) -> None:
    kinds = ("plain", "prompted", "tuned", "combined")
    scores = {kind: passing(rows, *it) for kind, *it in zip(kinds, shares, offsets, strict=True)}
    timings = paces(FAST, SLOW) if swap else paces(SLOW, FAST)
    found = decided(scores, new, paces=timings, elsewhere=[elsewhere(rows)])
    assert not wrong_figures(found), written(found).verdict


def test_rows_without_scores_decide_nothing() -> None:
    plan, answers = evaluation({"plain": [1.0, 0.0], "tuned": [1.0, 1.0]})
    found = decision_of(plan, [replace(it, score=None, error="no") for it in answers])
    assert found is not None and found.ruling.outcome == "undecided"
    assert written(found).verdict == "Not decided: no row was scored under two variants."
    assert decision_of(plan, []) is not None


def test_a_variant_is_not_the_better_for_failing_where_rows_are_hard() -> None:
    plan, answers = evaluation({"plain": [1.0] * 60 + [0.0] * 60, "tuned": [0.0] * 60 + [1.0] * 60})
    failing = [
        replace(it, score=None, error="no") if it.variant == "tuned" and it.row < 60 else it
        for it in answers
    ]
    found = decision_of(plan, failing)
    assert found is not None and found.ruling.outcome == "undecided"


def test_rows_that_could_not_be_scored_are_said() -> None:
    plan, answers = evaluation({"plain": passing(90, 0.1), "tuned": passing(90, 0.9)})
    missing = [
        replace(it, score=None) if it.variant == "tuned" and it.row < 7 else it for it in answers
    ]
    found = decision_of(plan, missing)
    assert found is not None
    texts = written(found)
    assert texts.verdict.endswith(" 7 of 90 rows could not be scored.")
    assert any("counts against whichever is ahead" in note for note in texts.notes)
    assert found.pairs[0].verdict.difference.interval.low < found.pairs[0].verdict.difference.mean


def test_a_winner_that_all_rows_hardly_lean_to_is_said_to_be_none() -> None:
    """The adapter wins 26 and loses 8 of the planned 100 rows, and 10 and 26 of 200 more."""
    tuned = [1.0] * 26 + [0.0] * 74 + [1.0] * 10 + [0.0] * 190
    plain = [0.0] * 26 + [1.0] * 8 + [0.0] * 76 + [1.0] * 26 + [0.0] * 164
    found = decision_of(*evaluation({"plain": plain, "tuned": tuned}, planned=100))
    assert found is not None and found.ruling.outcome == "undecided"
    assert "would decide it. The planned rows alone have a winner, but all" in written(found).verdict  # fmt: skip
    assert not wrong_figures(found)


def test_break_even() -> None:
    def of(mean: float, low: float, high: float) -> str:
        return after(BreakEven("seconds", 47, Estimate(mean, Interval(low, high), 5, "")))

    assert of(0.02, 0.01, 0.03) == "after 2,400 calls (1,600 to 4,700)"
    assert of(0.02, -0.01, 0.05) == "not before 940 calls, if ever"
    assert of(-0.01, -0.03, 0.01) == "not on average"
    assert of(-0.01, -0.03, -0.01) == of(0, 0, 0) == "never"
    costs = BreakEven("seconds", 47, Estimate(-0.002, Interval(-0.003, 0.001), 5, ""))
    assert saves(costs) == "costs 2 ms (-1 ms to 3 ms) more a call"
    assert saves(BreakEven("seconds", 47, Estimate(0.002, Interval(0.001, 0.003), 5, ""))) == (
        "saves 2 ms (1 ms to 3 ms) a call"
    )
    found = decided({kind: passing(60, 0.5) for kind in ("plain", "prompted", "tuned", "combined")})
    tuned, both = found.side("tuned"), found.side("combined")
    assert tuned and both
    (tokens,) = tuned.break_even  # nothing was timed
    trained = read_training(ADAPTER.path).tokens
    assert trained
    assert tokens.saved.mean == 70 and tokens.calls == -(-trained // 70)
    assert both.break_even[0].calls is None
    shares = {"plain": 0.1, "prompted": 0.4, "tuned": 0.6, "combined": 0.9}
    timed = decided({kind: passing(N, it) for kind, it in shares.items()}, paces=paces(FAST, SLOW))
    said = written(timed).verdict
    assert timed.ruling.pick == "combined"
    assert "training does not pay for itself: never in time or in prompt tokens" in said


def test_what_costs_more_on_average_is_not_said_to_pay_for_itself() -> None:
    """The adapter's prompts are longer on most rows, and shorter on some."""
    shares = {"plain": 0.2, "prompted": 0.5, "tuned": 0.9}
    plan, answers = evaluation({kind: passing(N, it) for kind, it in shares.items()})
    tokens = [
        replace(it, prompt_tokens=110 if it.row % 11 == 0 else 21) if it.variant == "prompted"
        else replace(it, prompt_tokens=30)
        for it in answers
    ]  # fmt: skip
    found = decision_of(plan, tokens)
    assert found is not None and found.ruling.outcome == "fine-tune"
    saved = found.sides[2].break_even[0].saved
    assert saved.mean < 0 < saved.interval.high
    said = written(found).verdict
    assert "training does not pay for itself: not on average in prompt tokens" in said
    cell = {row.title: row.cells for row in written(found).rows}["break-even"][1]
    assert cell[0].startswith("in prompt tokens: not on average; costs ") and "if ever" not in said
    assert not wrong_figures(found)


def test_a_time_that_few_calls_say_badly_is_not_in_the_verdict() -> None:
    shares = {"plain": 0.2, "prompted": 0.5, "tuned": 0.9, "combined": 0.9}
    scores = {kind: passing(N, it) for kind, it in shares.items()}
    slower = (0.0101, 0.0302, 0.0151, 0.0201, 0.0121), (0.01, 0.01, 0.01, 0.01, 0.01)
    for timed in (slower, slower[::-1]):  # on one side of 0, but hardly
        found = decided(scores, paces=paces(*timed))
        assert "pays for itself in prompt tokens after" in written(found).verdict
        assert "in time" not in written(found).verdict
        cell = {row.title: row.cells for row in written(found).rows}["break-even"][1]
        assert cell[0].startswith("in time: too few calls were timed to say; ")
        assert not wrong_figures(found)
    said = written(decided(scores, paces=paces(SLOW, FAST))).verdict
    assert "training pays for itself in time after" in said


def test_what_a_file_does_not_say_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "training_of", lambda path: Training())
    scores = {kind: passing(60, 0.5) for kind in ("plain", "tuned")}
    rows = {row.title: row.cells[0] for row in written(decided(scores)).rows}
    assert "not recorded in the file" in rows["process"][1]
    assert rows["data needed"][0].startswith("tuned, rows not recorded in the file: 50.0")
    assert "time not recorded in the file" in rows["cost to make"][0]
    assert rows["break-even"] == ("what training cost is not recorded in the file",)


def test_both_together_need_each_of_the_two_tried_alone() -> None:
    found = decided({"plain": passing(N, 0.2), "combined": passing(N, 0.9)})
    texts = written(found)
    assert texts.verdict == (
        "Not decided: prompting alone and fine-tuning alone were not tried: add them."
    )
    assert {row.title: row.cells for row in texts.rows}["when to use"] == (("not decided",),)
    document = decision_document(found)
    assert document["untried"] == ["prompted", "tuned"] and document["pick"] is None
    found = decided({"plain": passing(N, 0.1), "prompted": passing(N, 0.4), "combined": passing(N, 0.9)})  # fmt: skip
    assert written(found).verdict == "Not decided: fine-tuning alone was not tried: add it."
    found = decided({"plain": passing(40, 0.5), "combined": passing(40, 0.6, 7)})
    assert re.search(r"more rows would decide it; prompting alone and", written(found).verdict)
    assert not wrong_figures(found)


def test_the_table_has_columns_for_the_kinds_there_are() -> None:
    texts = written(decided({"plain": passing(N, 0.2), "prompted": passing(N, 0.9)}))
    assert texts.head == ("", "Prompting")
    assert all(len(row.cells) == 1 for row in texts.rows)
    texts = written(decided({kind: passing(N, 0.5) for kind in ("plain", "tuned", "combined")}))
    assert texts.head == ("", "Fine-tuning", "Both")


def test_ratings_come_from_whoever_has_them() -> None:
    scores = {kind: passing(20, 0.5) for kind in ("plain", "tuned")}
    given = [Rating("tuned", "plain", "first")] * 9 + [Rating("tuned", "plain", "tie")]
    found = decided(scores, ratings=lambda: [*given, Rating("tuned", "gone", "second")])
    side = found.side("tuned")
    assert side and side.rated and side.rated.ratings == 10 and side.rated.chance.mean > 0.6
    said = written(found).rows[-1].cells[0][-1]
    assert said.startswith("chance of being preferred to an average variant: ")
    assert said.endswith(", 10 ratings")


def test_the_best_of_several_is_compared_on_other_rows() -> None:
    # One formulation is better on even rows, another on odd ones; a third is good at all.
    rows = 80
    variants = [
        variant("plain"),
        variant("even", replace(ENGINEERED, system="1")),
        variant("odd", replace(ENGINEERED, system="2")),
        variant("good", replace(ENGINEERED, system="3")),
    ]
    plan = plan_of(variants, rows)
    chance = {"plain": lambda row: 0, "even": lambda row: row % 2, "odd": lambda row: 1 - row % 2}
    answers = [
        answer(row, it.name, float(chance.get(it.name, lambda row: row % 10 > 0)(row)))
        for it in variants
        for row in range(rows)
    ]
    found = decision_of(plan, answers)
    assert found is not None and found.chosen_on + found.rows == rows
    assert 20 < found.rows < 60
    side = found.side("prompted")
    assert side and side.label == "good" and len(side.tried) == 3
    assert {it.score.rows for it in side.tried} == {found.chosen_on}
    assert side.score.rows == found.rows
    assert found.pairs[0].verdict.difference.rows == found.rows
    assert any("the best of" in note for note in written(found).notes)
    # Answers on the rows that confirm do not change what is chosen, and rows added do not either.
    chosen = build.chosen_of(plan, answers)
    assert chosen is not None
    worse = [
        replace(it, score=0.0) if it.variant == "good" and it.row in chosen.rows else it
        for it in answers
    ]
    again = build.chosen_of(plan, worse)
    assert again == chosen
    later = plan_of(variants, rows + 60, planned=rows)
    other = {"even": 1.0, "odd": 1.0, "good": 0.0, "plain": 0.0}
    added = [answer(row, it.name, other[it.name]) for it in variants for row in range(rows, rows + 60)]  # fmt: skip
    again = build.chosen_of(later, [*answers, *added])
    assert again is not None and again.variants == chosen.variants
    assert again.chosen_on == chosen.chosen_on and set(again.rows) > set(chosen.rows)


def test_the_verdict_says_which_of_several_adapters_it_speaks_of() -> None:
    mine = replace(ADAPTER, name="mine", path=Path("/mine.gguf"))
    variants = [variant("plain"), variant("shipped", adapters=[ADAPTER]), variant("mine", adapters=[mine])]  # fmt: skip
    answers = [
        answer(row, it.name, float(it.name == "shipped" or (it.name == "mine" and row % 5 > 0)))
        for it in variants
        for row in range(80)
    ]
    found = decision_of(plan_of(variants, 80), answers)
    assert found is not None
    side = found.side("tuned")
    assert side and {it.label for it in side.tried} == {"shipped", "mine"}
    own, other = (score(it.score) for it in side.tried)
    said = f"The adapter here is shipped, with {own}, picked before mine, with {other}."
    assert own != other and written(found).verdict.endswith(said)
    again = decision_of(plan_of(variants[:2], 80), [it for it in answers if it.variant != "mine"])
    assert again is not None and "picked before" not in written(again).verdict


def test_after_training_the_verdict_is_about_the_new_adapter_on_all_rows() -> None:
    few, many = (replace(ADAPTER, name=it, path=Path(f"/{it}.gguf")) for it in ("few", "many"))
    variants = [
        variant("plain"), variant("engineered", ENGINEERED), variant("shipped", adapters=[ADAPTER]),
        variant("both", ENGINEERED, [ADAPTER]), variant("few", adapters=[few]),
        variant("many", adapters=[many]), variant("new both", ENGINEERED, [many]),
    ]  # fmt: skip
    passes = {"plain": 0, "engineered": 4, "shipped": 9, "both": 9, "few": 9, "many": 8, "new both": 8}  # fmt: skip
    answers = [
        answer(row, it.name, float(row % 10 < passes[it.name])) for it in variants for row in range(120)
    ]  # fmt: skip
    plan = plan_of(variants, 120)
    assert (before := decision_of(plan, answers)) is not None and before.chosen_on
    found = decision_of(replace(plan, trained=("few", "many", "new both")), answers)
    assert found is not None and (found.rows, found.chosen_on, found.share) == (120, 0, 1.0)
    side, texts = found.side("tuned"), written(found)
    assert side and side.name == "many" and [it.name for it in side.tried] == ["few", "many"]
    assert texts.verdict.startswith("Fine-tune: the adapter (many) is better than the engineered")
    assert " here is many, with 80.0 (" in texts.verdict and "the one of most rows" in texts.verdict
    shipped, both = found.before
    assert [(it.kind, it.name) for it in found.before] == [
        ("tuned", "shipped"),
        ("combined", "both"),
    ]
    assert shipped.verdict.difference.rows == 120
    assert shipped.verdict.difference.mean == pytest.approx(-0.1)
    assert shipped.verdict.difference.interval.level == pytest.approx(0.975)
    said = lead(shipped.verdict.difference.mean, shipped.verdict.difference.interval)
    assert f" The adapter against shipped, which was there before: {said}, which is worse." in texts.verdict  # fmt: skip
    objective = next(it for it in texts.rows if it.title == "objective")
    assert f"against shipped {said}" in objective.cells[1]
    document = decision_document(found)
    assert [(it["variant"], it["outcome"]) for it in document["before"]] == [
        ("shipped", "worse"), ("both", both.verdict.outcome),
    ]  # fmt: skip
    few_rows = [it for it in answers if it.row < 10]
    early = decision_of(
        replace(plan_of(variants, 10), trained=("few", "many", "new both")), few_rows
    )
    assert early is not None and "shipped, which was there before: " in written(early).verdict
    assert "not decided" in written(early).verdict


def test_a_prompt_that_only_an_adapter_of_before_has_is_held_beside_the_new_adapter() -> None:
    mine = replace(ADAPTER, name="mine", path=Path("/mine.gguf"))
    variants = [
        variant("plain"), variant("both", ENGINEERED, [ADAPTER]), variant("mine", adapters=[mine]),
    ]  # fmt: skip
    passes = {"plain": 0, "both": 9, "mine": 8}
    answers = [
        answer(row, it.name, float(row % 10 < passes[it.name])) for it in variants for row in range(120)
    ]  # fmt: skip
    found = decision_of(replace(plan_of(variants, 120), trained=("mine",)), answers)
    assert found is not None and found.side("combined") is None
    (both,) = found.before
    assert (both.kind, both.name) == ("tuned", "both")
    assert both.verdict.difference.mean == pytest.approx(-0.1)
    assert "The adapter against both, which was there before: " in written(found).verdict


def test_nothing_is_picked_before_the_planned_rows_are_there() -> None:
    variants = [
        variant("plain"),
        variant("one", replace(ENGINEERED, system="1")),
        variant("two", replace(ENGINEERED, system="2")),
    ]
    plan = plan_of(variants, 60, planned=90)
    answers = [
        answer(row, it.name, float(it.name == "one")) for it in variants for row in range(60)
    ]
    found = decision_of(plan, answers)
    assert found is not None and found.waits_for > 0
    assert found.pairs[0].verdict.difference.rows == 0
    assert "is picked once all planned rows are there" in written(found).verdict
    settled = decision_of(replace(plan, planned=replace(plan.planned, count=60)), answers)
    assert settled is not None and settled.waits_for == 0
    assert written(settled).verdict.startswith("Prompt: ")


def test_nothing_to_decide() -> None:
    plan = plan_of([variant("plain"), variant("again", replace(PLAIN, name="Other name"))], 4)
    answers = [answer(row, name, 1.0) for row in range(4) for name in ("plain", "again")]
    assert decision_of(plan, answers) is None


def test_intervals_of_leads_hold_together() -> None:
    kinds = ("plain", "prompted", "tuned", "combined")
    found = decided({kind: passing(60, 0.5) for kind in kinds})
    levels = [it.verdict.difference.interval.level for it in found.pairs]
    assert levels == pytest.approx([1 - 0.05 / 6] * 6)
    found = decided({kind: passing(60, 0.5) for kind in kinds[:2]})
    assert found.pairs[0].verdict.difference.interval.level == pytest.approx(0.95)


def test_control_counts_broken_forms_and_changing_seeds() -> None:
    plan, answers = evaluation({"plain": [1.0] * 8, "tuned": [0.0, 0.0] + [1.0] * 6})
    plan = replace(plan, suite=replace(plan.suite, repeats=2))
    wrong = (Result(0.0, "names “bad”, not “good”"),)
    answers = [replace(it, results=wrong) if it.row == 1 else it for it in answers]
    again = [replace(it, repeat=1, score=1.0 if it.row < 4 else it.score) for it in answers]
    found = decision_of(plan, [*answers, *again])
    assert found is not None
    plain, tuned = found.side("plain"), found.side("tuned")
    assert plain and tuned and plain.violations and tuned.violations
    assert plain.violations.mean == 0 and tuned.violations.mean == 0.125
    assert plain.changing and plain.changing.mean == 0
    assert tuned.changing and tuned.changing.mean == 0.25 and tuned.changing.rows == 8
    control = {row.title: row.cells for row in written(found).rows}["control"][0]
    assert control[0].startswith("form broken: 12.5 % (") and control[1].startswith(
        "seeds change 25.0 % ("
    )
