"""Repeats grouped by likeness, whatever the order in which they end."""

import random
from pathlib import Path

from llamadiff.compare.groups import ALIKE, Grouping, groups_of
from llamadiff.compare.likeness import likeness, words_of
from llamadiff.compare.run import Output, State
from llamadiff.compare.variants import Variant
from llamadiff.prompts.document import Prompt

A = Variant("A", Path("/models/demo.gguf"), "demo", Prompt("p", user="x"))
TEN = "one two three four five six seven eight nine ten"
NEAR = TEN.replace("ten", "10")
FAR = TEN.replace("nine ten", "9 10")


def outputs(*texts: str) -> list[Output]:
    return [Output(A, i, i, State.DONE, text) for i, text in enumerate(texts)]


def test_the_likeness_is_the_share_of_words_in_common() -> None:
    assert likeness(words_of("Dogs bark."), words_of("Dogs bark")) == 2 * 2 / 5
    assert likeness(words_of("a b c d"), words_of("b x d")) == 2 * 2 / 7
    assert likeness((), ()) == 1 and likeness((), ("a",)) == 0
    assert likeness(words_of(TEN), words_of(NEAR)) == ALIKE


def test_alike_outputs_are_one_group_the_most_frequent_first() -> None:
    found = groups_of(outputs("x y", TEN, FAR, NEAR, TEN, "x y"))
    assert [(it.members, it.same) for it in found] == [
        ((1, 3, 4), False), ((0, 5), True), ((2,), True),
    ]  # fmt: skip
    assert [it.first for it in found] == [1, 0, 2] and found[0].count == 3


def test_equal_numbers_come_in_the_order_of_the_repeats() -> None:
    assert [it.members for it in groups_of(outputs("a", "b", "c", "b", "a"))] == [
        (0, 4), (1, 3), (2,),
    ]  # fmt: skip


def test_the_groups_are_those_of_the_finished_outputs_in_whatever_order_they_end() -> None:
    texts = [TEN, NEAR, FAR, "x", TEN, "x y", NEAR, FAR]
    whole = groups_of(outputs(*texts))
    for seed in range(20):
        growing = outputs(*texts)
        for it in growing:
            it.state = State.STREAMING
        grouping = Grouping(growing)
        order = random.Random(seed).sample(growing, len(growing))
        for number, it in enumerate(order, 1):
            it.state = State.DONE
            assert sum(group.count for group in grouping.update()) == number
            assert grouping.to_come == len(texts) - number and grouping.complete
        assert grouping.update() == whole


def test_what_takes_too_long_is_left_to_the_next_call() -> None:
    many = outputs(*(" ".join(f"w{i}-{j}" for j in range(40)) for i in range(30)))
    grouping = Grouping(many)
    assert grouping.update(-1.0) == [] and not grouping.complete
    calls = 1
    while not grouping.complete:
        grouping.update(-1.0)
        calls += 1
    assert calls == 30 * 29 / 2 and len(grouping.update()) == 30


def test_failed_and_stopped_outputs_are_in_no_group() -> None:
    them = outputs("a", "a", "b")
    them[1].state, them[2].state = State.FAILED, State.CANCELLED
    grouping = Grouping(them)
    assert [it.members for it in grouping.update()] == [(0,)]
    group = grouping.group_of(them[0])
    assert group is not None and group.same and grouping.group_of(them[1]) is None
