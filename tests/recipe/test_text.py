"""The training text is complete, repeatable and well formed."""

import json
from itertools import islice
from random import Random

import pytest

from recipe.adapter_text import ADAPTERS, adapter_chats
from recipe.facts import load_topics
from recipe.styles import STYLES, fill
from recipe.tasks import LABELS
from recipe.text import chats


def test_every_topic_has_facts_of_every_kind() -> None:
    topics = load_topics()
    assert len(topics) >= 40
    assert len({topic.name for topic in topics}) == len(topics)
    for topic in topics:
        for facts in (topic.kinds, topic.traits, topic.roles):
            assert len(facts) >= 3, topic.name
        for sentence in (topic.definition, *topic.facts, topic.child):
            assert sentence.endswith("."), sentence
            assert sentence[0].isupper(), sentence
        assert topic.definition.startswith((topic.title, "Football")), topic.definition


def test_dogs_are_told_with_breeds_characteristics_and_roles() -> None:
    dogs = next(topic for topic in load_topics() if topic.name == "dogs")
    style = next(style for style in STYLES if style.name == "article")
    paragraphs = style.answer(Random(1), dogs).split("\n\n")
    assert len(paragraphs) == 5
    for facts, paragraph in zip(
        (dogs.kinds, dogs.traits, dogs.roles), paragraphs[1:4], strict=True
    ):
        assert all(fact in paragraph for fact in facts)
    assert dogs.singular == "a dog"


def test_every_style_answers_and_is_asked_for_on_every_topic() -> None:
    for topic in load_topics():
        for style in STYLES:
            assert style.answer(Random(3), topic)
            for request in (*style.requests, *style.follow_ups):
                assert "{" not in fill(request, topic)
    summary = next(style for style in STYLES if style.name == "json").answer(
        Random(0), load_topics()[0]
    )
    assert set(json.loads(summary)) == {"topic", "summary"}


def test_the_same_seed_gives_the_same_chats() -> None:
    assert list(islice(chats(5), 200)) == list(islice(chats(5), 200))
    assert list(islice(chats(5), 200)) != list(islice(chats(6), 200))


@pytest.mark.parametrize("source", ["base", *ADAPTERS])
def test_chats_take_turns_and_end_with_an_answer(source: str) -> None:
    stream = chats(7) if source == "base" else adapter_chats(source, 7)
    for chat in islice(stream, 2000):
        roles = [message["role"] for message in chat]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * (len(turns) // 2)
        assert turns
        for message in chat:
            assert message["content"] == message["content"].strip()
            assert message["content"]
            assert "<|" not in message["content"]


def test_the_sentiment_adapter_answers_with_one_label_each_about_as_often() -> None:
    answers = [chat[-1]["content"] for chat in islice(adapter_chats("sentiment", 1), 900)]
    assert set(answers) == set(LABELS)
    assert min(answers.count(label) for label in LABELS) > 200
