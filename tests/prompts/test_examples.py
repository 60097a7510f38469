"""Few-shot examples out of a dataset: the same ones always, and literal whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.prompts.datasets import VariableRow
from llamadiff.prompts.document import Example, ExampleData, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.examples import nearest_examples, pick_examples, row_example
from llamadiff.prompts.literal import as_template, keep_names, plain_names
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.save import save_prompt

ROWS = [{"question": f"q{i}", "answer": f"a{i}"} for i in range(20)]
TEMPLATES = 'user = "{{ question }}", assistant = "{{answer}}!"'


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path / "x.toml"


def written(path: Path, examples: str) -> Prompt:
    path.write_text(f'name = "X"\nuser = "u"\n# few\nexamples = {{ {examples} }}  # shots\n')
    return load_prompt(path)


def test_rows_become_examples_and_stay_where_they_are_when_saved(path: Path) -> None:
    prompt = written(path, f'data = "rows.jsonl", count = 3, seed = 1, {TEMPLATES}')
    data = (path.parent / "rows.jsonl").resolve()
    assert prompt.example_data == ExampleData(data, 3, 1, "{{ question }}", "{{answer}}!")
    assert len(set(prompt.examples)) == 3
    for example in prompt.examples:
        assert example.assistant == f"a{example.user[1:]}!"
    before = path.read_text()
    assert save_prompt(prompt, path) == prompt and path.read_text() == before
    saved = save_prompt(replace(prompt, user="v"), path)
    assert "# shots" in path.read_text() and "q1" not in path.read_text() and saved == load_prompt(path)  # fmt: skip
    (path.parent / "deep").mkdir()
    copy = save_prompt(saved, path.parent / "deep" / "y.toml")
    assert '"../rows.jsonl"' in (path.parent / "deep" / "y.toml").read_text()
    assert load_prompt(path.parent / "deep" / "y.toml") == copy == saved
    own = save_prompt(saved.with_examples(saved.examples[:1]), path)
    assert "rows.jsonl" not in path.read_text() and load_prompt(path) == own


def test_a_dataset_that_changes_is_read_again(path: Path) -> None:
    prompt = written(path, f'data = "rows.jsonl", {TEMPLATES}')
    assert [example.user for example in prompt.examples] == [f"q{i}" for i in range(20)]
    (path.parent / "rows.jsonl").write_text('{"question": "new", "answer": "a"}\n')
    assert load_prompt(path).examples == (Example("new", "a!"),)
    saved = save_prompt(replace(prompt, user="v"), path)
    assert saved.examples == (Example("new", "a!"),)


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ('data = "no.jsonl"', "no dataset file at"),
        ('data = "rows.jsonl"', r"line 1: the columns question, answer do not say"),
        (f'data = "rows.jsonl", count = 21, {TEMPLATES}', "has 20 rows, and 21 are wanted"),
        ('data = "rows.jsonl", count = 0', "examples.count must be a whole number from 1"),
        ('data = "rows.jsonl", count = 2000', "2000 examples are too many"),
        ('data = "rows.jsonl", seed = true', "examples.seed must be a whole number"),
        ('data = "rows.jsonl", user = "a"', "both user and assistant"),
        ("count = 3", "needs data"),
        ('dta = "rows.jsonl"', "did you mean data"),
    ],
)
def test_what_is_wrong_with_examples_is_one_sentence(path: Path, examples: str, words: str) -> None:
    with pytest.raises(PromptError, match=words) as caught:
        written(path, examples)
    assert caught.value.line == 4 and "\n" not in str(caught.value)


def row(place: int) -> VariableRow:
    return VariableRow(place + 1, {"q": str(place)})


@given(st.integers(0, 40), st.integers(0, 45), st.integers(0, 5))
def test_a_choice_is_the_same_always_and_in_order(size: int, count: int, seed: int) -> None:
    rows = [row(place) for place in range(size)]
    chosen = pick_examples(iter(rows), count, seed)
    assert chosen == pick_examples(rows, count, seed)
    assert len(chosen) == min(size, count) and chosen == [row for row in rows if row in chosen]
    more = pick_examples([*rows, row(size)], count, seed)
    assert len(set(map(str, chosen)) - set(map(str, more))) <= 1


def test_a_choice_by_seed_is_pinned_and_seeds_differ() -> None:
    rows = [row(place) for place in range(100)]
    assert [it.line for it in pick_examples(rows, 3, 1)] == [31, 86, 94]
    choices = {tuple(it.line for it in pick_examples(rows, 3, seed)) for seed in range(50)}
    assert len(choices) > 45


def test_the_nearest_rows_come_with_the_nearest_last() -> None:
    rows = [VariableRow(i, {"q": text}) for i, text in enumerate(["my red coat", "a boat", "red coat"])]  # fmt: skip
    assert [it.line for it in nearest_examples(rows, "Red coat", 2)] == [0, 2]


@settings(deadline=None, max_examples=60)
@given(st.text(st.sampled_from("{}%# \n\"ab'"), max_size=12), st.text(st.sampled_from("{}%#a"), max_size=6))  # fmt: skip
def test_the_text_of_rows_is_never_a_template(renderer: Renderer, first: str, second: str) -> None:
    example = row_example(VariableRow(1, {"a": first, "b": second}), "{{ a }}{{ b }}.", "{{ x }}")
    assert example is not None and example.assistant == "{{ x }}"
    prompt = Prompt("X", user=example.user)
    assert renderer.render_prompt(prompt).messages[0].content == first + second + "."
    prompt = Prompt("X", user=f"{as_template(first)}.")
    assert renderer.render_prompt(prompt).messages[0].content == f"{first}."
    prompt = Prompt("X", user=keep_names(f"{first}{{{{ name }}}}."), variables=(Variable("name"),))
    if not plain_names(first):
        content = renderer.render_prompt(prompt, {"name": second}).messages[0].content
        assert content == f"{first}{second}."
