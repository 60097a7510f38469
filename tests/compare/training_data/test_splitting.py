"""What is held out, and in what order rows are added."""

from __future__ import annotations

from collections import Counter

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.training_data.examples import Example
from llamadiff.compare.training_data.splitting import Split, rows_in, split
from llamadiff.compare.training_data.tokens import PreparedExample
from llamadiff.models.tuning.rows import PreferenceRow, TrainingRow
from llamadiff.prompts.document import Prompt

PROMPT = Prompt("P", user="{{ user }}")
LABELS = ("good", "bad", "odd")


def example(number: int, user: str, answer: str) -> PreparedExample:
    it = Example(number, f"key {number}", PROMPT, {"user": user}, (), answer)
    return PreparedExample(it, (TrainingRow((1, 2), (False, True), it.key),))


def many(count: int) -> list[PreparedExample]:
    return [example(n, f"Review {n}", LABELS[n % 10 % 3]) for n in range(count)]


def keys(them: tuple[PreparedExample, ...]) -> list[str]:
    return [it.example.key for it in them]


def by_answer(them: tuple[PreparedExample, ...]) -> Counter[str]:
    return Counter(it.example.answer for it in them)


def test_adding_rows_moves_none() -> None:
    again = [example(1000 + n, f"review {n}!", LABELS[n % 10 % 3]) for n in range(300)]
    less, more = (
        split(them, LABELS, share=0.1, seed=3) for them in (many(300), [*many(900), *again])
    )
    assert 15 <= len(less.validation) <= 45
    assert set(keys(less.validation)) <= set(keys(more.validation))
    assert set(keys(less.train)) <= set(keys(more.train))
    assert split(many(300)[::-1], LABELS, share=0.1, seed=3) == Split(
        less.train, less.validation[::-1]
    )
    assert keys(split(many(300), LABELS, share=0.1, seed=4).validation) != keys(less.validation)


def test_questions_stay_together_and_classes_are_on_both_sides() -> None:
    twice = [
        example(n, f"REVIEW  {n % 40}!" if n % 2 else f"Review {n % 40}", LABELS[n % 3])
        for n in range(120)
    ]
    for seed in range(10):
        found = split(twice, LABELS, share=0.2, seed=seed)
        inputs = [{it.example.input for it in them} for them in (found.train, found.validation)]
        assert inputs[0].isdisjoint(inputs[1]) and len(inputs[0] | inputs[1]) == 40
        few = [*many(60), example(100, "x", "rare"), example(101, "y", "rare")]
        found = split(few, (*LABELS, "rare"), share=0.05, seed=seed)
        assert by_answer(found.train).keys() == by_answer(found.validation).keys()
        assert len(found.train) + len(found.validation) == 62
    with pytest.raises(CompareError, match="Fewer than two different questions"):
        split([example(1, "a", "b"), example(2, "A?", "c")], (), share=0.5, seed=0)


def test_fewer_rows_are_the_first_of_more_with_every_class() -> None:
    found = split(many(600), LABELS, share=0.1, seed=0)
    whole = by_answer(found.train)
    for count in (25, 50, 100, 300):
        part = found.first(count)
        assert part.validation == found.validation and len(part.train) == count
        assert keys(part.train) == keys(found.train)[:count]
        for answer, of in whole.items():
            assert abs(by_answer(part.train)[answer] - count * of / len(found.train)) <= 1
    with pytest.raises(CompareError, match="601 rows are asked for"):
        found.first(601)


def test_what_the_trainer_is_given() -> None:
    rows = many(3)
    assert rows_in(rows) == [it.rows[0] for it in rows]
    (one, two) = (it.rows[0] for it in rows[:2])
    pair = PreferenceRow(one, two, "p")
    assert rows_in([PreparedExample(rows[0].example, (one, two), pair)]) == [pair]
