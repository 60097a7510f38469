"""The small suite of the tour: some rows of one that ships, asked of the same variants."""

from __future__ import annotations

import json
from pathlib import Path

from ...compare.evaluation.shipped import SHIPPED

ROWS = 40
_SUITE = """\
name = "Tour"
description = "{rows} rows of the suite Sentiment: a plain prompt, an engineered one, the adapter, and both."
baseline = "plain"
margin = 0.03
variants = [
  "label=plain,prompt=sentiment,adapter=none",
  "label=engineered,prompt=sentiment-engineered,adapter=none",
  "label=tuned,prompt=sentiment,adapter=sentiment",
  "label=both,prompt=sentiment-engineered,adapter=sentiment",
]

[dataset]
file = {file}
tags = ["expected"]
sample = {rows}

[[checks]]
check = "one-of"
labels = ["positive", "negative", "neutral"]
"""


def write_suite(folder: Path) -> Path:
    """The suite's file, written into a folder."""
    folder.mkdir(parents=True)
    path = folder / "tour.toml"
    rows = json.dumps(str(SHIPPED / "sentiment.jsonl"))
    path.write_text(_SUITE.format(rows=ROWS, file=rows), "utf-8")
    return path
