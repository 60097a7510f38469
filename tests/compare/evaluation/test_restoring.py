"""A plan out of the history is the plan that was begun."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.checks.code import Code
from llamadiff.compare.checks.result import Answer
from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.settled import Settled
from llamadiff.compare.history.history import History

from .suites import VARIANTS, plan_of, write_suite

CHECKS = """
[[checks]]
check = "contains"
values = ["a", "b"]
[[checks]]
name = "form"
check = "schema"
schema = { type = "object" }
weight = 0.0
[[checks]]
check = "judge"
rubric = "is friendly"
adapter = "support"
[[checks]]
check = "code"
function = "own.py:check"
[[checks]]
check = "likelihood"
"""
EVERY = (
    VARIANTS
    + """
[[variants]]
label = "odd"
prompt = "support-engineered"
adapter = "support@0.5+sentiment@0.25"
logit_bias = { 5 = -1.5 }
samplers = ["top_k", "temperature"]
values = { tone = "warm" }
[[require]]
that = "tuned.score > base.score"
"""
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "own.py").write_text("def check(answer, row):\n    return True\n")
    return plan_of(
        write_suite(
            tmp_path, 5, 'repeats = 2\nmargin = 0.1\nelsewhere = "general"\n' + CHECKS, EVERY
        )
    )


def kept(folder: Path, plan: Plan) -> tuple[History, str]:
    history = History(folder, "0", pytest.fail)
    return history, history.evaluations.begin(plan, "0")


def test_the_same_comes_out_of_the_history(tmp_path: Path, plan: Plan) -> None:
    plan = replace(plan, trained=(plan.variants[-1].name,))
    history, key = kept(tmp_path / "state", plan)
    again = history.evaluations.plan(key)
    assert again.trained == plan.trained
    assert again.fingerprint() == plan.fingerprint()
    assert (again.rows, again.planned, again.groups()) == (plan.rows, plan.planned, plan.groups())
    assert again.suite.checks == plan.suite.checks and again.suite.code == plan.suite.code
    assert again.suite.elsewhere == ("general",)
    assert again.suite.require == plan.suite.require and again.suite.margin == 0.1
    for mine, theirs in zip(again.variants, plan.variants, strict=True):
        assert (mine.title, mine.adapters, mine.model_name) == (
            theirs.title, theirs.adapters, theirs.model_name,
        )  # fmt: skip
        assert mine.prompt == theirs.prompt
    assert history.evaluations.unfinished(again) == key
    history.close()


def code_in(plan: Plan) -> Code:
    return next(it.check for it in plan.suite.checks if isinstance(it.check, Code))


def test_a_changed_file_of_code_is_seen_and_what_was_begun_goes_on_with_its_own(
    tmp_path: Path, plan: Plan
) -> None:
    history, key = kept(tmp_path / "state", plan)
    old = code_in(history.evaluations.plan(key))
    old.make_ready()
    assert old(Answer("x")).score == 1
    (tmp_path / "own.py").write_text("def check(answer, row):\n    return False\n")
    new = code_in(written := plan_of(tmp_path / "suite.toml"))
    assert (new(Answer("x")).score, old(Answer("x")).score) == (0, 1)
    assert history.evaluations.unfinished(written) is None
    new.make_ready()
    with pytest.raises(CompareError, match=r"own.py is not what it was"):
        old.make_ready()
    (tmp_path / "own.py").unlink()
    with pytest.raises(CompareError, match=r"own.py cannot be read"):
        new.make_ready()
    history.close()


def test_one_that_is_removed_is_gone(tmp_path: Path, plan: Plan) -> None:
    more = Settled(plan.planned.keys | {"not run", "gone"}, 77, frozenset({"gone"}))
    apart = {("A", "B"): Settled(frozenset([plan.rows[1].key]), 1)}
    history, key = kept(tmp_path / "state", replace(plan, planned=more, apart=apart))
    again = history.evaluations.plan(key)
    assert (again.planned, again.apart) == (more, apart)
    with sqlite3.connect(
        tmp_path / "state" / "history.db"
    ) as database:  # as earlier versions wrote it
        (about,) = database.execute("SELECT about FROM evaluations").fetchone()
        old = json.loads(about)
        old["planned"].pop()
        database.execute("UPDATE evaluations SET about = ?", (json.dumps(old),))
    assert history.evaluations.plan(key).planned == more
    history.evaluations.release(key)
    assert history.remove([key]) == 1
    assert history.evaluations.entries() == []
    with pytest.raises(CompareError, match="is not in the history"):
        history.evaluations.plan(key)
    history.close()
