"""What is held out is decided by words alone, and no training text has it."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from recipe.adapter_text import adapter_chat
from recipe.chats import Chat
from recipe.split import ONE_IN, held_out
from recipe.suites import plain, suite_rows, training_rows
from recipe.tasks import TASKS
from recipe.tasks.specialty import Specialty
from recipe.text import chats


def said(chats: list[Chat]) -> str:
    """All messages without what people type this way or that, a line each."""
    return "\n".join(f" {plain(message['content'])} " for chat in chats for message in chat)


@pytest.fixture(scope="module")
def base_text() -> str:
    """Some of what a base is trained on."""
    return said(list(islice(chats(11), 12_000)))


def test_a_combination_is_held_out_for_ever() -> None:
    """A change of the hash would move what other trainings held out."""
    assert held_out("sentiment", ("film", "wonderful")) is False
    assert held_out("sentiment", ("hotel", "wonderful")) is False
    found = [held_out("french", (str(number), "sleep")) for number in range(3000)]
    assert abs(sum(found) / len(found) - 1 / ONE_IN) < 0.03
    assert found != [held_out("support", (str(number), "sleep")) for number in range(3000)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_what_is_trained_on_has_no_held_out_combination(task: Specialty) -> None:
    random = Random(1)
    for _ in range(2000):
        assert task.held_out(random).has_held_out(task.name)
    made = [task.make(random) for _ in range(2000)]
    held = {it.example.asked for it in made if it.has_held_out(task.name)}
    assert 100 < len(held) < 1500
    own = {task.own(random).asked for _ in range(4000)}
    assert not held & own
    seen = {task.seen(random).draw(random).asked for _ in range(2000)}
    assert not held & seen


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_row_of_a_suite_is_in_a_training_text(task: Specialty, base_text: str) -> None:
    random = Random(2)
    trained = said([adapter_chat(random, task) for _ in range(3000)])
    rows = [row[task.variable] for row in suite_rows(task)]
    assert not [row for row in rows if f" {plain(row)} " in trained]
    assert not [row for row in rows if f" {plain(row)} " in base_text]
    to_train_on = {plain(row[task.variable]) for row in training_rows(task)}
    assert not to_train_on & set(map(plain, rows))
