"""The suites that the recipe writes, and those that ship, are whole."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.planning import plan_of
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.rows import suite_rows as read_suite
from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.spec import Defaults
from llamadiff.models.catalog import BUNDLED
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.prompts.datasets import read_rows
from llamadiff.prompts.library import Library
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.rendering.helper import Renderer
from recipe.suites import ROOT, TRAINING_ROWS, library_in, plain, suites_in, write_suites
from recipe.tasks import TASKS

NAMES = [task.name for task in TASKS]
ROWS = SHIPPED.parent / "rows"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suites")
    write_suites(folder)
    return folder


def test_every_task_has_held_out_rows_and_rows_in_other_words(out: Path) -> None:
    for task in TASKS:
        rows = [it.values for it in read_suite(load_suite(suites_in(out) / f"{task.name}.toml"))]
        of_words = Counter(row["words"] for row in rows)
        assert of_words["known"] >= 150 and of_words["new"] >= 30, task.name
        assert len({row[task.variable] for row in rows}) == len(rows) >= 200


def test_writing_again_gives_the_same(out: Path, tmp_path: Path) -> None:
    write_suites(tmp_path)
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert files == sorted(it.relative_to(tmp_path) for it in tmp_path.rglob("*") if it.is_file())
    assert len(files) > 20
    for file in files:
        assert (out / file).read_bytes() == (tmp_path / file).read_bytes()
        assert (out / file).read_bytes() == (ROOT / file).read_bytes(), (
            "what ships is of this recipe"
        )


def test_the_suites_can_be_planned_with_the_prompts_beside_them(out: Path, tmp_path: Path) -> None:
    """With the adapters that ship in the places of those that are to be made."""
    (base,) = BUNDLED.glob("*-Q8_0.gguf")
    defaults = Defaults(model=str(base), library=Library(shipped=library_in(out)))
    for path in sorted(suites_in(out).glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        for name in NAMES:
            text = text.replace(f'adapter = "{name}"', 'adapter = "sentiment"')
        path.write_text(text, encoding="utf-8")
        plan = plan_of(load_suite(path), defaults, ModelSettings())
        labels = [variant.label for variant in plan.variants]
        if path.stem in NAMES:
            assert labels == ["plain", "engineered", "tuned", "both"]
            assert set(plan.suite.elsewhere) <= {"french", "general", "instructions"}
        else:
            assert labels == ["base", *sorted(NAMES, key=labels.index)]
        assert plan.baseline.label == labels[0]
        assert all(row.expected for row in plan.rows)


def test_the_prompts_render_and_their_examples_are_in_no_suite(out: Path) -> None:
    with Renderer() as renderer:
        for task in TASKS:
            asked = {
                row.values[task.variable]
                for row in read_rows(suites_in(out) / f"{task.name}.jsonl")
            }
            for name in (task.name, f"{task.name}-engineered"):
                prompt = load_prompt(library_in(out) / f"{name}.toml")
                assert renderer.render_messages(prompt)[-1].role == "user"
                assert set(renderer.template_variables(prompt)) == {task.variable}
                assert [variable.name for variable in prompt.variables] == [task.variable]
                assert not asked & {example.user for example in prompt.examples}
            assert len(prompt.examples) >= 3 and prompt.system


def test_there_are_rows_to_train_on(out: Path) -> None:
    for task in TASKS:
        lines = (out / "compare" / "rows" / f"{task.name}.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        assert len(rows) == TRAINING_ROWS
        assert all(set(row) == {task.variable, "expected"} and row["expected"] for row in rows)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_rows_that_ship_are_different_and_expect_something(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({json.dumps(row) for row in rows}) == len(rows) > 40
    assert all(row["expected"] for row in rows)


@pytest.mark.parametrize("path", sorted(ROWS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_no_shipped_suite_asks_the_rows_to_train_on_that_ship(path: Path) -> None:
    asked = {
        plain(next(iter(json.loads(line).values())))
        for suite in SHIPPED.glob("*.jsonl")
        for line in suite.read_text(encoding="utf-8").splitlines()
    }
    assert len(asked) > 600
    long = [f" {text} " for text in asked if len(text.split()) > 3]
    texts = [
        plain(next(iter(json.loads(line).values())))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(set(texts)) == len(texts) > 300 and asked.isdisjoint(texts)
    assert not [text for text in texts if any(it in f" {text} " for it in long)]
