"""Curves of a sweep: spreads over repeats, and what is written of them."""

import csv
import io

from llamadiff.compare.curves import Curve, Spread, curves_csv, curves_document, spread
from llamadiff.compare.sweep import Axis

WORDS = Curve("words", "words", "words", "words", (Spread(2, 1, 3), None))


def test_a_spread_has_the_mean_the_least_and_the_largest() -> None:
    assert spread([1, 2, 6]) == Spread(3, 1, 6)
    assert spread([]) is None


def test_a_line_for_each_value_is_written_and_what_is_missing_stays_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(curves_csv(Axis("scale", (0, 0.5)), [WORDS]))))
    assert rows[0] == {"scale": "0", "words": "2", "words_low": "1", "words_high": "3"}
    assert rows[1] == {"scale": "0.5", "words": "", "words_low": "", "words_high": ""}


def test_the_document_has_null_for_what_is_missing() -> None:
    (it,) = curves_document([WORDS])
    assert it == {"name": "words", "values": [{"mean": 2, "low": 1, "high": 3}, None]}
