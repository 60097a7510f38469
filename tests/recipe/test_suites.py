"""The rows of the shipped suites, nowhere in what was trained on, and those to train on, in no suite:
made by the recipe."""

from __future__ import annotations

import json

import pytest

from recipe import training_rows
from recipe.scale import FULL
from recipe.suites import (
    OUT,
    general_rows,
    instruction_rows,
    plain,
    sentiment_rows,
    support_rows,
    trained_on,
)


def test_no_row_was_trained_on_and_the_recipe_makes_them() -> None:
    seen = {name: trained_on(FULL, name) for name in ("sentiment", "support")}
    everything = "".join(seen.values())
    assert f" {plain('I want my money back.')} " in everything  # what is there is found
    for name, made in (
        ("sentiment", sentiment_rows(seen["sentiment"])),
        ("support", support_rows()),
        ("general", general_rows()),
        ("instructions", instruction_rows()),
    ):
        rows = [json.loads(line) for line in (OUT / f"{name}.jsonl").read_text().splitlines()]
        assert rows == made
        assert len({json.dumps(row) for row in rows}) == len(rows)
        texts = {plain(next(iter(row.values()))) for row in rows}
        trained = seen.get(name, everything)
        assert not [text for text in texts if f" {text} " in trained]


@pytest.mark.parametrize("name", training_rows.MAKERS)
def test_rows_to_train_on_are_made_by_the_recipe_and_asked_by_no_suite(name: str) -> None:
    lines = (training_rows.OUT / f"{name}.jsonl").read_text().splitlines()
    shipped = [json.loads(line) for line in lines]
    assert shipped == training_rows.rows(name) and len(shipped) == training_rows.COUNTS[name]
    texts = [plain(next(iter(row.values()))) for row in shipped]
    asked = training_rows.asked_by_suites()
    assert len(set(texts)) == len(texts) and asked.isdisjoint(texts)
    long = [f" {text} " for text in asked if len(text.split()) >= training_rows.TELLING]
    assert not [text for text in texts if any(it in f" {text} " for it in long)]
    first = json.loads((OUT / f"{name}.jsonl").read_text().splitlines()[0])
    assert plain(next(iter(first.values()))) in asked  # what suites ask is found
