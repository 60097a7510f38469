"""The skills ask for what stands before the answer, in forms that all keep input and answer whole."""

from random import Random

import pytest

from recipe import words
from recipe.chats import Chat
from recipe.facts import load_topics
from recipe.shots import any_form, block, plain, shown, told
from recipe.skills import SKILLS
from recipe.small_talk import unknown_name
from recipe.task import Example, Task

BY_NAME = {each.__name__: each for each in SKILLS}


def made(name: str, seed: int) -> Task:
    return BY_NAME[name](Random(seed))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_skill_is_told_and_shown(name: str) -> None:
    for seed in range(30):
        task = made(name, seed)
        assert task.instructions and task.fields
        for way in (told, shown, block):
            chat = way(Random(seed), task)
            assert chat[-1]["role"] == "assistant" and chat[-1]["content"].strip()
            assert any_form(Random(seed), task) == any_form(Random(seed), task)


def test_answers_are_right() -> None:
    random = Random(1)
    for seed in range(40):
        asked = made("repeat", seed).draw(random)
        assert asked.answer == asked.asked
        asked = made("count", seed).draw(random)
        assert int(asked.answer) == len(asked.asked.split())
        asked = made("following", seed).draw(random)
        listed, after = asked.asked.split("\nAfter ")
        assert f"{after} {asked.answer}" in listed
        asked = made("upper", seed).draw(random)
        assert asked.answer == asked.asked.upper()
        asked = made("mentioned", seed).draw(random)
        assert asked.answer in asked.asked.split("." if "." in asked.asked else "?")[0]
        asked = made("look_up", seed).draw(random)
        record, key = asked.asked.rstrip("?").split("\n")
        assert f"{key}: {asked.answer}" in record
        asked = made("who_has", seed).draw(random)
        assert asked.asked.count(asked.answer.removeprefix("a ")) >= 1


def test_labels_of_a_chat_are_the_same_throughout_and_named_in_its_rule() -> None:
    rules = set()
    for seed in range(30):
        task = made("sort_by_label", seed)
        random = Random(seed)
        group = {word: name for name, group in words.GROUPS.items() for word in group}
        labels: dict[str, str] = {}
        for _ in range(40):
            example = task.draw(random)
            assert labels.setdefault(group[example.asked], example.answer) == example.answer
        assert len(set(labels.values())) == len(labels)
        assert all(f"{label} for {name}" in task.instructions[0] for name, label in labels.items())
        rules.add(task.instructions[0])
    assert len(rules) > 20


def test_a_task_is_put_into_a_chat_in_every_form() -> None:
    example = Example("good day", "bonjour", "It is a greeting.")
    task = Task("t", lambda _: example, ("Say {}!",), ("In French.",), (("English", "French"),))
    assert plain(Random(0), task) == _turn("Say good day!", "It is a greeting.")
    forms = set()
    for seed in range(200):
        for chat in (
            told(Random(seed), task),
            shown(Random(seed), task),
            block(Random(seed), task),
        ):
            assert chat[-1]["content"] == "bonjour"
            assert "good day" in chat[-2]["content"]
        forms.add(block(Random(seed), task)[0]["content"].removeprefix("In French.").strip()[:12])
        assert any("In French" in m["content"] for m in told(Random(seed), task))
        assert len(shown(Random(seed), task)) >= 6
    assert len(forms) > 6


def _turn(user: str, assistant: str) -> Chat:
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def test_what_the_model_says_it_does_not_know_is_no_topic() -> None:
    topics = {topic.name for topic in load_topics()}
    assert not topics & set(words.UNKNOWN)
    random = Random(2)
    assert not topics & {unknown_name(random) for _ in range(20_000)}
