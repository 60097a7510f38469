"""Adapters on other suites, on the real engine: beside the base, with those suites' plain prompts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.decision.build import decision_of
from llamadiff.compare.evaluation.decision.elsewhere import (
    MOST_ROWS,
    others_of,
    run_elsewhere,
    stacks_of,
)
from llamadiff.compare.evaluation.decision.table import written
from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import Renderer

from ..suites import CHECKS, evaluated, plan_of, write_suite

BROKEN = """
dataset = "broken.jsonl"
[[checks]]
check = "exact"
[[variants]]
prompt = "tell-me-about"
"""


GENERAL = ("general", "instructions")


async def test_stacks_are_held_against_the_base(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"expected": "x", "colour": "red"}\n')
    (tmp_path / "broken.toml").write_text(BROKEN)
    keys = 'elsewhere = ["general", "instructions", "broken.toml"]\n'
    plan = plan_of(write_suite(tmp_path, 6, keys + CHECKS))
    more = replace(plan, planned=replace(plan.planned, count=24))
    others, _ = others_of(more, Defaults())
    rows = [len((SHIPPED / f"{it}.jsonl").read_text().splitlines()) for it in GENERAL]
    asked = [min(count, MOST_ROWS) for count in rows]
    assert asked != rows
    assert [(len(it.plan.rows), it.plan.planned.count) for it in others] == [
        *((6, count) for count in asked),
        (1, 1),
    ]
    others, _ = others_of(plan, Defaults())
    assert [len(it.plan.rows) for it in others] == [*asked, 1]
    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=tmp_path / "cache")
        answers = await evaluated(runner, plan)
        stacks = stacks_of(plan, answers)
        assert [[str(it) for it in stack] for stack in stacks] == [["support@1"]]
        told: list[tuple[str, float]] = []
        found, problems = await run_elsewhere(
            runner, others, stacks, lambda suite, share: told.append((suite, share))
        )
    assert [(it.suite, it.instructions, it.stack) for it in found] == [
        ("General", False, "support@1"), ("Instructions", True, "support@1"),
    ]  # fmt: skip
    assert "broken could not be run" in problems[0] and "no column of the dataset" in problems[0]
    general = found[0]
    assert general.base.mean > 0.25 > 0.1 > general.score.mean
    assert general.verdict.outcome == "worse" and general.verdict.difference.rows == asked[0]
    assert {suite for suite, _ in told} >= {"General", "Instructions"}
    decision = decision_of(plan, answers, {}, found, problems=problems)
    assert decision is not None
    rows = {row.title: row.cells for row in written(decision).rows}
    assert rows["flexibility"][0][0].startswith("General: ")
    assert any("told otherwise, Instructions" in line for line in rows["control"][0])
    assert problems[0] in written(decision).notes


@pytest.mark.parametrize(
    ("elsewhere", "error", "said"),
    [
        ('"generall"', CompareError, "did you mean general"),
        ('"suite.toml"', CompareError, "names the suite itself"),
        ('"none.toml"', CompareError, "There is no suite"),
        ('"coded.toml"', CompareError, "--allow-code"),
        ("5", PromptError, "elsewhere must be a text or a list of texts"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, elsewhere: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "own.py").write_text("def good(answer, row):\n    return 1\n")
    (tmp_path / "coded.toml").write_text(
        'dataset = "rows.jsonl"\n[[checks]]\ncheck = "code"\nfunction = "own.py:good"\n'
        '[[variants]]\nprompt = "support"\n'
    )
    path = write_suite(tmp_path, 2, f"elsewhere = [{elsewhere}]\n" + CHECKS)
    if elsewhere == "5":
        path.write_text(path.read_text().replace("[5]", "5"))
    with pytest.raises(error, match=said):
        others_of(plan_of(path), Defaults())


def test_one_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text(BROKEN)  # without its rows
    wrong = BROKEN.replace("broken.jsonl", "rows.jsonl").replace("tell-me-about", "nothing")
    (tmp_path / "wrong.toml").write_text(wrong)
    keys = 'elsewhere = ["broken.toml", "general", "wrong.toml"]\n'
    others, problems = others_of(plan_of(write_suite(tmp_path, 2, keys + CHECKS)), Defaults())
    assert [it.suite.name for it in others] == ["General"]
    assert problems[0].startswith("broken is left out: ") and "there is no file" in problems[0]
    assert problems[1].startswith("wrong is left out: ") and "no prompt called" in problems[1]


def test_a_suite_that_ships_means_those_that_ship(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write_suite(own, 2).rename(own / "general.toml")
    plan = plan_of(SHIPPED / "support.toml")
    others, problems = others_of(plan, Defaults(), [own])
    assert [it.suite.path.parent for it in others] == [SHIPPED] * 3 and not problems
    plan = plan_of(write_suite(tmp_path, 2, 'elsewhere = "general"\n' + CHECKS))
    ((other,), _) = others_of(plan, Defaults(), [own])
    assert other.suite.path.parent == own


def test_the_other_suites_model_and_adapters_do_not_count(tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 2, 'elsewhere = "support"\n' + CHECKS))
    ((other,), _) = others_of(plan, Defaults(prompt="tell-me-about", adapters=("support",)))
    base, tuned = other.plan.variants
    assert base.model == plan.baseline.model and not base.adapters
    assert tuned.adapters == plan.variants[1].adapters and tuned.prompt == base.prompt
    assert base.prompt.slug == "support"
    assert other.plan.planned.count == len(other.plan.rows) == 200
    own = (
        'dataset = "rows.jsonl"\nbaseline = "half"\n[[checks]]\ncheck = "exact"\n'
        '[[variants]]\nlabel = "first"\nprompt = "sentiment"\n'
        '[[variants]]\nlabel = "half"\nprompt = "support"\nmodel = "gone"\n'
        'adapter = "gone"\nscale = 0.5\n'
    )
    (tmp_path / "own.toml").write_text(own)
    plan = plan_of(write_suite(tmp_path, 2, 'elsewhere = "own.toml"\n' + CHECKS))
    ((other,), _) = others_of(plan, Defaults())
    base = other.plan.baseline
    assert (base.prompt.slug, base.model, base.adapters) == ("support", plan.baseline.model, ())
