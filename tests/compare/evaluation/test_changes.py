"""What tells evaluations of one suite apart."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from llamadiff.compare.history.history import History

from .suites import CHECKS, VARIANTS, plan_of, write_rows, write_suite

ROWS = [{"message": "Hi", "expected": "you"}, {"message": "Where is it?", "expected": "order"}]


def test_each_says_what_it_has_otherwise_than_the_one_before_it(tmp_path: Path) -> None:
    history = History(tmp_path / "state", "0", pytest.fail)
    kept = history.evaluations

    def begun(rows: int = 3, keys: str = "", variants: str = VARIANTS) -> tuple[str, ...]:
        kept.begin(plan_of(write_suite(tmp_path, rows, keys + CHECKS, variants)), "0")
        return kept.entries(1)[0].changes

    assert begun() == ()
    assert begun() == ("the same again",)
    scaled = VARIANTS.replace('"support"\ntemp', '"support@0.5"\ntemp').replace("= 24", "= 8", 1)
    assert begun(variants=scaled) == ("tuned: support@0.5", "base: max_tokens=8")
    other = scaled.replace('prompt = "support"', 'prompt = "support-engineered"')
    more = '[[variants]]\nlabel = "third"\nprompt = "support"\n'
    assert begun(variants=other + more) == ("with third", "prompt Support, engineered")
    assert begun(variants=other, keys='repeats = 2\nbaseline = "tuned"\nexact = true\n') == (
        "without third", "baseline tuned", "2 answers to each row", "exact",
    )  # fmt: skip
    assert begun(2, variants=other) == (
        "3 rows before", "baseline base", "1 answer to each row", "not exact",
    )  # fmt: skip
    write_rows(tmp_path, ROWS)
    (tmp_path / "suite.toml").write_text(
        (tmp_path / "suite.toml").read_text().replace('tags = "subject" ', "")
    )
    kept.begin(plan_of(tmp_path / "suite.toml"), "0")
    (newest, *_) = entries = kept.entries()
    assert newest.changes == ("other rows",) and newest.models == (plan_of(tmp_path / "suite.toml").baseline.model_name,)  # fmt: skip
    assert [len(it.changes) for it in entries] == [1, 4, 4, 2, 2, 1, 0]
    with sqlite3.connect(tmp_path / "state" / "history.db") as database:  # a file, written anew
        (text,) = database.execute(
            "SELECT definition FROM evaluations WHERE key = ?", (newest.key,)
        ).fetchone()
        definition = json.loads(text)
        for it in definition["variants"]:
            it["prompt"] = it["prompt"].replace('"user":"', '"user":"Now: ')
            for adapter in it["adapters"]:
                adapter[2] = "1:2:3"
        definition["checks"] = []
        database.execute(
            "UPDATE evaluations SET definition = ? WHERE key = ?",
            (json.dumps(definition), newest.key),
        )
    assert kept.entries(1)[0].changes == (
        "tuned: another file of support", "prompt edited", "other checks",
    )  # fmt: skip
    history.close()
