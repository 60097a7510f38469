"""Rows unlike the training: shown by themselves, and said where the verdict does not hold there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from llamadiff.compare.evaluation.decision.build import decision_of
from llamadiff.compare.evaluation.decision.document import decision_document
from llamadiff.compare.evaluation.decision.figures import Decision, Trained
from llamadiff.compare.evaluation.decision.table import written
from llamadiff.models.adapters.training import Training

from .made import ADAPTER, Scores, evaluation, passing
from .said import wrong_figures

KNOWN, NEW = 200, 40


def decided(known: dict[str, float], new: dict[str, float]) -> Decision:
    scores: Scores = {kind: passing(KNOWN, known[kind]) + passing(NEW, new[kind]) for kind in known}
    found = decision_of(*evaluation(scores, new=NEW))
    assert found is not None
    return found


def cell(found: Decision, title: str, side: int) -> tuple[str, ...]:
    return next(row.cells[side] for row in written(found).rows if row.title == title)


def test_a_lead_that_comes_from_rows_like_the_training_is_said_to() -> None:
    known = {"plain": 0.1, "prompted": 0.5, "tuned": 1.0, "combined": 1.0}
    found = decided(known, {"plain": 0.1, "prompted": 0.5, "tuned": 0.5, "combined": 0.5})
    assert found.ruling.outcome == "fine-tune" and not wrong_figures(found)
    said = written(found).verdict
    assert "by 41.7 points" in said and ", on rows like its training; on the 40 tagged new " in said
    assert "whether it is better than the engineered prompt is not decided: 0.0 (" in said
    assert "than the plain prompt is not" not in said  # that holds on new rows, too
    assert cell(found, "when to use", 1) == ("here, on rows like its training",)
    tuned = cell(found, "new rows", 1)
    assert tuned[0].startswith("40 tagged new: 50.0 (") and "200 others: 100.0 (" in tuned[3]
    assert tuned[2].startswith("against prompting 0.0 (")
    assert tuned[5].startswith("against prompting +50.0 (")
    document = json.loads(json.dumps(decision_document(found), allow_nan=False))
    assert document["apart"]["new"]["rows"] == 40
    assert document["apart"]["others"]["scores"]["tuned"]["mean"] == 1


def test_where_the_cheaper_one_is_enough_on_new_rows_that_is_said() -> None:
    known = {"plain": 0.1, "prompted": 0.5, "tuned": 0.9}
    found = decided(known, {"plain": 0.0, "prompted": 1.0, "tuned": 0.0})
    assert found.ruling.outcome == "fine-tune" and not wrong_figures(found)
    said = written(found).verdict
    assert "on the 40 tagged new whether it is better than the plain prompt is not decided" in said
    assert ", and the engineered prompt is enough: -100.0 (" in said


def test_what_holds_on_new_rows_and_what_needs_no_training_is_not_limited() -> None:
    known = {"plain": 0.1, "prompted": 0.4, "tuned": 0.9}
    holds = decided(known, {"plain": 0.1, "prompted": 0.1, "tuned": 0.9})
    prompt = decided({"plain": 0.1, "prompted": 0.9, "tuned": 0.9}, dict.fromkeys(known, 0.5))
    known = {"plain": 0.1, "prompted": 0.4, "tuned": 0.6, "combined": 0.95}
    new = {"plain": 0.1, "prompted": 0.1, "tuned": 0.9, "combined": 0.9}
    both = decided(known, new)  # what the prompt adds to the adapter was not trained
    assert both.apart and both.apart.new.pairs[-1].relation == "open"
    for found, outcome, side in ((both, "both", 2), (holds, "fine-tune", 1), (prompt, "prompt", 0)):
        assert found.ruling.outcome == outcome
        assert "tagged new" not in written(found).verdict
        assert cell(found, "when to use", side) == ("here",)
        assert cell(found, "new rows", side)[0].startswith("40 tagged new: ")


def test_without_rows_of_both_sorts_there_is_no_such_row() -> None:
    scores = {kind: passing(60, 0.5) for kind in ("plain", "tuned")}
    for new in (0, 60):
        found = decision_of(*evaluation(scores, new=new))
        assert found is not None and found.apart is None
        assert all(row.title != "new rows" for row in written(found).rows)


def test_planned_rows_that_are_missing_leave_the_test_of_new_ones_to_come() -> None:
    scores = {kind: passing(60, share) for kind, share in (("plain", 0.0), ("tuned", 1.0))}
    whole, part = (decision_of(*evaluation(scores, planned, new=20)) for planned in (60, 500))
    assert whole and part and whole.apart and part.apart
    methods = [it.apart.new.pairs[0].verdict.difference.method for it in (whole, part)]
    assert "McNemar" in methods[0] and "McNemar" not in methods[1]


def test_the_noise_floor_stands_beside_every_lead() -> None:
    plan, answers = evaluation({"plain": [0.0] * 30, "tuned": [0.0] * 10 + [1.0] * 20}, new=12)
    found = decision_of(plan, answers)
    assert found and "noise floor not measured (repeats = 1)" in cell(found, "objective", 0)
    plan = replace(plan, suite=replace(plan.suite, repeats=2))
    again = [
        replace(it, repeat=1, score=1.0 if it.variant == "plain" and it.row < 6 else it.score)
        for it in answers
    ]
    found = decision_of(plan, [*answers, *again])
    assert found is not None
    side = found.side("plain")
    assert side and side.noise  # the noisier one of the two
    floor = f", noise ±{100 * side.noise.interval.high:.1f}"
    assert floor == ", noise ±11.3"
    assert any(it.endswith(floor) for it in cell(found, "objective", 0))
    assert all("noise ±" in it for it in cell(found, "new rows", 0) if "against" in it)
    assert any("Noise is how far" in it for it in written(found).notes)


def test_training_on_rows_of_the_suite_is_told() -> None:
    scores = {kind: passing(20, 0.5) for kind in ("plain", "tuned")}
    plan, answers = evaluation(scores)
    rows = [replace(row, key=f"key {i}") for i, row in enumerate(plan.rows)]
    rows[3] = replace(rows[3], values={**rows[3].values, "suite_row": "key of another suite"})
    plan = replace(plan, rows=tuple(rows))

    def notes(*keys: str) -> str:
        trained = Trained("sentiment", 1, 1, Training(data_keys=keys))
        adapters: dict[Path, Trained] = {ADAPTER.path: trained}
        found = decision_of(plan, answers, adapters=adapters)
        assert found is not None
        return " ".join(written(found).notes)

    met = notes("key 1", "key 2", "key of another suite", "key 99")
    assert "sentiment was trained on 3 of the 20 rows" in met
    assert "was trained on" not in notes("key 99") + notes()
