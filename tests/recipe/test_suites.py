"""The rows of the shipped suites: made by the recipe, and nowhere in what was trained on."""

from __future__ import annotations

import json

from recipe.scale import FULL
from recipe.suites import OUT, plain, sentiment_rows, support_rows, trained_on


def test_no_row_was_trained_on_and_the_recipe_makes_them() -> None:
    seen = trained_on(FULL, "sentiment")
    assert f" {plain('I want my money back.')} " in seen  # what is there is found
    for name, made in (("sentiment", sentiment_rows(seen)), ("support", support_rows())):
        rows = [json.loads(line) for line in (OUT / f"{name}.jsonl").read_text().splitlines()]
        assert rows == made
        texts = {plain(next(iter(row.values()))) for row in rows}
        assert len(texts) == len(rows)
        if name == "support":
            seen = trained_on(FULL, "support")
        assert not [text for text in texts if f" {text} " in seen]
