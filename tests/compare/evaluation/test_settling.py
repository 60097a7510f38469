"""The rows that are planned stay the same rows, whatever is done to suites and the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamadiff.compare.evaluation.decision.build import chosen_of, decision_of
from llamadiff.compare.evaluation.decision.figures import Decision
from llamadiff.compare.evaluation.decision.table import written
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.rows import suite_rows
from llamadiff.compare.history.evaluations import Evaluations
from llamadiff.compare.history.history import History
from llamadiff.compare.statistics.figures import Planned
from llamadiff.compare.statistics.verdict import decide

from .decision.made import answer
from .suites import CHECKS, VARIANTS, plan_of, write_rows, write_suite

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
    assert (len(fewer.planned.gone), fewer.planned.to_run, len(fewer.rows)) == (3, 17, 17)
    assert fewer.planned.keys - fewer.planned.gone == set(keys(fewer)) < first.planned.keys
    said = "3 of the 20 rows planned are no longer in the dataset as planned: whichever variant is "
    assert fewer.notes[-1].startswith(said) and "Put them back word for word, or" in fewer.notes[-1]
    assert fewer.notes[-1].endswith("or add rows, beside which they weigh less.")
    found = fewer.planned_for(*fewer.variants, range(17))
    assert (len(found.rows), found.to_come, found.gone) == (17, 0, 3)

    (tmp_path / "rows.jsonl").write_text("\n".join(lines[11:]))
    other = plan_of(path, kept)
    assert other.planned.count == 9 and not other.planned.gone
    assert other.notes == (
        "New rows are planned: of the 20 that were when such variants were first compared, 9 are in "
        "the dataset with the same question and expected answer, fewer than half, so it is taken "
        "for another dataset.",
    )
    kept.release(kept.begin(other, "0"))
    assert plan_of(path, kept).notes == ()


def rewrite(folder: Path, change: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    """Change each row of a suite's dataset."""
    lines = (folder / "rows.jsonl").read_text().splitlines()
    write_rows(folder, [change(place, json.loads(line)) for place, line in enumerate(lines)])


def test_what_nobody_is_asked_makes_no_other_row(tmp_path: Path, kept: Evaluations) -> None:
    path = write_suite(tmp_path, 20)
    first = begun(path, kept)
    lines = {row.key: row.line for row in first.rows}
    rewrite(tmp_path, lambda i, row: {"note": f"seen {i % 3}", **row, "subject": "another tag"})
    again = begun(path, kept)
    assert (again.planned.number, again.planned.gone, again.notes) == (1, frozenset(), ())
    assert len(again.planned.keys) == 20 and set(keys(again)).isdisjoint(lines)
    # What is asked, or expected, makes another one of a row.
    rewrite(tmp_path, lambda i, row: {**row, "message": row["message"] + "!"} if i == 3 else row)
    rewrite(tmp_path, lambda i, row: {**row, "expected": "else"} if i == 5 else row)
    edited = plan_of(path, kept)
    assert len(edited.planned.gone) == 2 and "2 of the 20 rows planned are" in edited.notes[-1]


def test_a_variant_that_is_asked_more_leaves_what_others_planned(
    tmp_path: Path, kept: Evaluations
) -> None:
    (tmp_path / "more.toml").write_text('name = "More"\nuser = "{{ message }} {%- if note %} {{ note }}{% endif %}"\n')  # fmt: skip
    begun(write_suite(tmp_path, 20), kept)
    more = '[[variants]]\nlabel = "more"\nprompt = "more.toml"\n'
    path = write_suite(tmp_path, 30, CHECKS, VARIANTS + more)
    rewrite(tmp_path, lambda i, row: {**row, "note": f"note {i}"})
    three = begun(path, kept)
    assert three.planned.number == 1 and three.planned.count == 20
    assert {it.count for it in three.apart.values()} == {30}
    rewrite(tmp_path, lambda i, row: {**row, "note": f"other {i}"})
    asked = plan_of(path, kept)
    assert not asked.planned.gone and len(asked.notes) == 2  # of the pair alone that is asked it
    assert "of the 30 that were" in asked.notes[-1] and "0 are in the dataset" in asked.notes[-1]


def test_rows_that_ask_the_same_are_each_planned(tmp_path: Path, kept: Evaluations) -> None:
    path = write_suite(tmp_path, 6)
    rewrite(tmp_path, lambda i, row: {**row, "message": f"Question {i // 3}?", "expected": "x"})
    first = begun(path, kept)
    assert len(first.planned.keys) == len(first.rows) == 6
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    (tmp_path / "rows.jsonl").write_text("\n".join(lines[:5]))
    assert len(plan_of(path, kept).planned.gone) == 1


def test_plans_that_were_kept_by_whole_rows_are_known(
    tmp_path: Path, history: History, kept: Evaluations
) -> None:
    path = write_suite(tmp_path, 20)
    plan = plan_of(path, kept)
    whole = {mark: replace(it, keys=plan.planned.keys) for mark, it in plan.to_keep.items()}
    kept.settle(replace(plan, to_keep=whole))
    for rows in (20, 30):
        later = begun(write_suite(tmp_path, rows), kept)
        assert (later.planned.keys, later.planned.gone) == (plan.planned.keys, frozenset())


def test_what_is_added_to_such_a_plan_is_there_once_however_variants_ask(
    tmp_path: Path, kept: Evaluations
) -> None:
    """It is one plan for pairs that are asked different columns."""
    (tmp_path / "more.toml").write_text('name = "More"\nuser = "{{ message }} {{ subject }}"\n')
    three = VARIANTS + '[[variants]]\nlabel = "more"\nprompt = "more.toml"\n'
    text = "planned = 30\n" + CHECKS
    plan = plan_of(write_suite(tmp_path, 20, text, three), kept)
    whole = {mark: replace(it, keys=plan.planned.keys) for mark, it in plan.to_keep.items()}
    kept.settle(replace(plan, to_keep=dict([*whole.items()][:1])))
    shared = {mark: replace(it, number=1) for mark, it in whole.items()}
    kept.settle(replace(plan, to_keep=shared))
    first = begun(write_suite(tmp_path, 40, text, three), kept)
    assert len(first.planned.keys) == 30 and not first.apart
    again = plan_of(tmp_path / "suite.toml", kept)
    assert (again.planned, again.apart) == (first.planned, {}) and not again.planned.gone


def test_a_plan_is_filled_for_each_pair_by_what_it_is_asked(
    tmp_path: Path, kept: Evaluations
) -> None:
    """Of the first rows all are asked the same."""
    (tmp_path / "more.toml").write_text(
        'name = "More"\nuser = "{{ message }} {{ note }}"\n[variables.note]\ndefault = ""\n'
    )
    three = VARIANTS + '[[variants]]\nlabel = "more"\nprompt = "more.toml"\n'
    text = "planned = 30\n" + CHECKS
    begun(write_suite(tmp_path, 20, text, three), kept)
    path = write_suite(tmp_path, 40, text, three)
    rewrite(tmp_path, lambda i, row: row if i < 20 else {**row, "note": f"{i}"})
    first = begun(path, kept)
    again = plan_of(path, kept)
    for plan in (first, again):
        for it in (plan.planned, *plan.apart.values()):
            assert (len(it.keys), it.count, it.gone) == (30, 30, frozenset())


def test_a_column_that_some_rows_lack_is_asked_whichever_row_is_drawn_first(
    tmp_path: Path, kept: Evaluations
) -> None:
    note = '[variables.note]\ndefault = ""\n'
    (tmp_path / "a.toml").write_text(
        f'name = "A"\nuser = "{{{{ message }}}} {{{{ note }}}}"\n{note}'
    )
    (tmp_path / "b.toml").write_text(
        f'name = "B"\nuser = "{{{{ message }}}}: {{{{ note }}}}"\n{note}'
    )
    variants = "".join(f'[[variants]]\nlabel = "{it}"\nprompt = "{it}.toml"\n' for it in "ab")
    path, lacking = write_suite(tmp_path, 4, CHECKS, variants), set[bool]()

    def noted(place: int, row: dict[str, str]) -> dict[str, str]:
        return {**row, "note": f"{place}"} if place % 3 else row

    for rows in range(4, 24):
        write_suite(tmp_path, rows, CHECKS, variants)
        rewrite(tmp_path, noted)
        lacking.add("note" not in suite_rows(load_suite(path))[0].values)
        assert not begun(path, kept).planned.gone
    assert lacking == {True, False}


def test_one_of_several_is_picked_by_what_was_planned_for_all_of_them(
    tmp_path: Path, kept: Evaluations
) -> None:
    """Not by the few rows that one of them was compared on before."""
    begun(write_suite(tmp_path, 10, CHECKS, BASE + THIRD), kept)
    several = BASE + THIRD + TUNED
    plan = begun(write_suite(tmp_path, 40, CHECKS, several), kept)
    assert plan.planned.count == 10

    def picked(plan: Plan) -> Decision:
        """The third is right where it was planned first, and wrong on most other rows."""
        lucky = {"A": 0.0, "B": 1.0, "C": 0.9}
        answers = [
            answer(
                place, it.name, (1.0 if place < 10 else 0.1) if it.name == "B" else lucky[it.name]
            )
            for it in plan.variants
            for place in range(len(plan.rows))
        ]
        found = decision_of(plan, answers)
        assert found is not None
        return found

    first = picked(plan)
    tuned = first.side("tuned")
    assert tuned and tuned.label == "tuned" and first.unused == 0
    assert first.chosen_on + first.rows == 40 and first.chosen_on > 10
    again = kept.plan(kept.entries()[0].key)  # as the history has it
    assert picked(again) == first
    later = begun(write_suite(tmp_path, 60, CHECKS, several), kept)
    more = picked(later)
    assert (more.chosen_on, more.chosen_on + more.unused + more.rows) == (first.chosen_on, 60)
    assert more.unused > 0
    notes = " ".join(written(more).notes)
    assert f"{more.unused} more of the half by which it was taken were not planned" in notes
    # A column that nobody is asked leaves every row in its half.
    rewrite(tmp_path, lambda i, row: {**row, "note": f"{i}"})
    noted = plan_of(tmp_path / "suite.toml", kept)
    assert lines_picked_by(noted) == lines_picked_by(later) != set()


def test_what_was_planned_last_is_that_also_where_it_is_what_was_planned_first(
    tmp_path: Path, kept: Evaluations
) -> None:
    """The third of several is compared on as many rows as the first was, the second on more."""
    half, most, whole = (
        TUNED.replace('"tuned"', f'"{it}"') + f"scale = {it}\n" for it in (0.5, 0.7, 1)
    )
    begun(write_suite(tmp_path, 40, "planned = 20\n" + CHECKS, BASE + half), kept)
    begun(write_suite(tmp_path, 40, "planned = 30\n" + CHECKS, half + most), kept)
    path = write_suite(tmp_path, 40, "planned = 20\n" + CHECKS, BASE + half + most + whole)
    for plan in (begun(path, kept), plan_of(path, kept)):
        chosen = chosen_of(
            plan, [answer(row, it.name, 1.0) for it in plan.variants for row in range(40)]
        )
        assert chosen is not None and not chosen.waits_for
        assert {plan.rows[row].key for row in chosen.chosen_on} < plan.planned.keys


def test_rows_that_are_gone_count_where_their_half_is_not_known(
    tmp_path: Path, kept: Evaluations
) -> None:
    """The halves are drawn by what all of several are asked, planned rows known by what two are."""
    texts = {
        "plain": "{{ message }}",
        "short": "Say: {{ message }}",
        "more": "{{ message }} {{ note }}",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\nuser = "{text}"\n')
    variants = "".join(f'[[variants]]\nlabel = "{it}"\nprompt = "{it}.toml"\n' for it in texts)
    path = write_suite(tmp_path, 40, CHECKS, variants)
    rewrite(tmp_path, lambda i, row: {**row, "note": f"{i}"})
    begun(path, kept)
    plan = plan_of(path, kept)
    chosen = chosen_of(plan, [])
    assert chosen is not None
    confirming = [row.line - 1 for row in plan.rows if not chosen.halves[row.key]]
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    left = [line for place, line in enumerate(lines) if place not in confirming[:8]]
    (tmp_path / "rows.jsonl").write_text("\n".join(left))
    fewer = plan_of(path, kept)
    score = {"plain": 0.0, "short": 1.0, "more": 0.5}
    answers = [answer(row, it.name, score[it.label]) for it in fewer.variants for row in range(32)]
    found = decision_of(fewer, answers)
    assert found is not None and found.side("prompted") and len(fewer.planned.gone) == 8
    rows = found.rows
    assert rows == len(confirming) - 8
    won = decide(
        [[1.0]] * rows, [[0.0]] * rows, planned=Planned(range(rows), 0, 8), alpha=1 - found.level
    )
    assert found.pairs[0].verdict == won


def lines_picked_by(plan: Plan) -> set[int]:
    places = range(len(plan.rows))
    chosen = chosen_of(plan, [answer(row, it.name, 1.0) for it in plan.variants for row in places])
    assert chosen is not None
    return {plan.rows[place].line for place in chosen.chosen_on}


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
