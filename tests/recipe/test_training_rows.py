"""The rows to train on that ship: made by the recipe, and asked by no shipped suite."""

from __future__ import annotations

import json

import pytest

from recipe.suites import OUT as SUITES
from recipe.suites import plain
from recipe.training_rows import COUNTS, MAKERS, OUT, TELLING, asked_by_suites, rows


@pytest.mark.parametrize("name", MAKERS)
def test_the_recipe_makes_them_and_no_suite_asks_them(name: str) -> None:
    shipped = [json.loads(line) for line in (OUT / f"{name}.jsonl").read_text().splitlines()]
    assert shipped == rows(name) and len(shipped) == COUNTS[name]
    texts = [plain(next(iter(row.values()))) for row in shipped]
    asked = asked_by_suites()
    assert len(set(texts)) == len(texts) and asked.isdisjoint(texts)
    long = [f" {text} " for text in asked if len(text.split()) >= TELLING]
    assert not [text for text in texts if any(it in f" {text} " for it in long)]
    first = json.loads((SUITES / f"{name}.jsonl").read_text().splitlines()[0])
    assert plain(next(iter(first.values()))) in asked  # what suites ask is found
