"""The rows of the shipped suites: made by the recipe, and nowhere in what was trained on."""

from __future__ import annotations

import json

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
