"""The rows that are planned stay the same rows, whatever is done to suites and the history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.history.evaluations import Evaluations
from llamadiff.compare.history.history import History

from .suites import CHECKS, VARIANTS, plan_of, write_suite

BASE, TUNED = (f"[[variants]]{it}" for it in VARIANTS.split("[[variants]]")[1:])
THIRD = TUNED.replace('"tuned"', '"half"') + "scale = 0.5\n"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    found = History(tmp_path / "state", "0", pytest.fail)
    yield found
    found.close()


@pytest.fixture
def kept(history: History) -> Evaluations:
    return history.evaluations


def keys(plan: Plan) -> list[str]:
    return [row.key for row in plan.rows]


def begun(path: Path, kept: Evaluations) -> Plan:
    """Its plan, and that it was begun is in the history."""
    plan = plan_of(path, kept)
    kept.release(kept.begin(plan, "0"))
    return plan


def test_rows_that_are_added_come_after_those_planned(tmp_path: Path, kept: Evaluations) -> None:
    first = begun(write_suite(tmp_path, 20), kept)
    assert first.planned.number is None and first.planned.keys == set(keys(first))
    for rows in (30, 45, 60):
        path = write_suite(tmp_path, rows)
        assert keys(plan_of(path))[:20] != keys(first)  # the order drawn has new ones in between
        later = begun(path, kept)
        assert keys(later)[:20] == keys(first) and len(later.rows) == rows
        assert (later.planned.keys, later.planned.count) == (first.planned.keys, 20)
        assert "20 rows were planned" in later.notes[0] and not later.apart


def test_what_is_planned_stays_with_rows_and_variants(
    tmp_path: Path, history: History, kept: Evaluations
) -> None:
    first = begun(write_suite(tmp_path, 20), kept)
    write_suite(tmp_path, 30)
    history.remove([entry.key for entry in kept.entries()])
    history.retire(datetime.now(UTC) + timedelta(days=1))
    assert kept.entries() == []

    (tmp_path / "other").mkdir()
    named = TUNED.replace('"tuned"', '"another name"')
    for text, variants in (
        (CHECKS, BASE + TUNED),
        (CHECKS, TUNED + BASE),
        ('[[checks]]\ncheck = "exact"\nvalue = "x"\n', BASE + named + "seed = 5\n"),
        ("repeats = 3\n" + CHECKS, VARIANTS),
    ):
        copy = write_suite(tmp_path / "other", 30, text, variants)
        again = plan_of(copy, kept, limit=25)
        assert again.planned.keys == first.planned.keys and keys(again)[:20] == keys(first)
        assert len(again.rows) == 25


def test_other_variants_and_other_rows_are_planned_anew(tmp_path: Path, kept: Evaluations) -> None:
    first = begun(write_suite(tmp_path, 20), kept)
    alone = plan_of(write_suite(tmp_path, 30, CHECKS, BASE + THIRD), kept)
    assert alone.planned.number is None and alone.planned.count == 30 and not alone.notes

    both = begun(write_suite(tmp_path, 30, CHECKS, BASE + TUNED + THIRD), kept)
    assert both.planned.keys == first.planned.keys
    assert {names: it.count for names, it in both.apart.items()} == {("A", "C"): 30, ("B", "C"): 30}
    base, tuned, half = both.variants
    places = range(25)
    assert both.planned_for(tuned, base, places).to_come == 0
    assert both.planned_for(base, half, places).to_come == 5
    more = plan_of(write_suite(tmp_path, 40, CHECKS, THIRD + BASE), kept)
    assert more.planned.keys == set(keys(both))

    french = 'dataset = { file = "rows.jsonl", where = { subject = "delivery" } }\n'
    path = write_suite(tmp_path, 40)
    path.write_text(french + path.read_text().partition("\n")[2])
    part = plan_of(path, kept)
    assert 0 < part.planned.count == len(part.rows) < 20 and part.planned.number is None


def test_rows_that_are_gone_are_known_to_be(tmp_path: Path, kept: Evaluations) -> None:
    path = write_suite(tmp_path, 20)
    first = begun(path, kept)
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    (tmp_path / "rows.jsonl").write_text("\n".join(lines[3:]))
    fewer = plan_of(path, kept)
    assert (
        fewer.planned.keys == first.planned.keys and fewer.planned.to_run == len(fewer.rows) == 17
    )
    assert fewer.planned.gone == first.planned.keys - set(keys(fewer))
    assert "3 of the 20 rows planned are no longer in the dataset" in fewer.notes[-1]
    found = fewer.planned_for(*fewer.variants, range(17))
    assert (len(found.rows), found.to_come, found.gone) == (17, 0, 3)

    (tmp_path / "rows.jsonl").write_text("\n".join(lines[11:]))
    assert plan_of(path, kept).planned.count == 9  # another dataset


def test_a_sample_takes_what_was_planned_and_later_rows_fill_a_plan(
    tmp_path: Path, kept: Evaluations
) -> None:
    def write(rows: int, keys: str) -> Path:
        path = write_suite(tmp_path, rows)
        path.write_text(path.read_text().replace('tags = "subject"', keys))
        return path

    first = begun(write(30, "sample = 10"), kept)
    assert keys(begun(write(60, "sample = 10"), kept)) == keys(first)
    wider = plan_of(write(60, "sample = 25"), kept)
    assert keys(wider)[:10] == keys(first) and wider.planned.count == 10

    twice = "repeats = 2\nplanned = 30\n" + CHECKS
    early = begun(write_suite(tmp_path, 20, twice, TUNED + THIRD), kept)
    assert len(early.planned.keys) == 20 and early.planned.to_run == 30
    later = begun(write_suite(tmp_path, 40, twice, TUNED + THIRD), kept)
    assert later.planned.keys == set(keys(later)[:30]) >= early.planned.keys
    last = plan_of(write_suite(tmp_path, 60, twice, TUNED + THIRD), kept)
    assert last.planned.keys == later.planned.keys
