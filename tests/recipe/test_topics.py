"""The topics' files are whole, and every style can be asked for and answered on each of them."""

import json
import re
from random import Random

import pytest

from recipe.facts import KEYS, Topic, load_topics
from recipe.own_questions import QUESTIONS
from recipe.styles import JSON_KEYS, NUMBERS, STYLES, Style, Wish, fill

TOPICS = load_topics()
BY_NAME = {style.name: style for style in STYLES}
DOGS = next(topic for topic in TOPICS if topic.name == "dogs")


def answer(style: str, topic: Topic, count: int = 0, keys: tuple[str, ...] = ("topic",)) -> str:
    return BY_NAME[style].answer(Random(3), topic, Wish(count, keys))


def sentences(text: str) -> list[str]:
    return re.findall(r"[^.!?]+[.!?]", text)


def test_every_topic_has_facts_of_every_kind() -> None:
    assert len(TOPICS) >= 75
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert len({topic.definition for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert min(map(len, (topic.kinds, topic.traits, topic.roles))) >= 3, topic.name
        assert len(set(topic.facts)) == len(topic.facts) >= 9, topic.name
        assert len(topic.points) == 5 and len(topic.questions) >= 5, topic.name
        assert tuple(topic.values) == KEYS, topic.name
        told = (topic.definition, *topic.facts, *topic.child, *(a for _, a in topic.questions))
        for sentence in told:
            assert sentence.endswith(".") and sentence[0].isupper(), sentence
        for line in (*topic.points, topic.headline, *topic.values.values()):
            assert line and not line.endswith("."), line
        assert all(question.endswith("?") for question, _ in topic.questions), topic.name
        assert topic.definition.startswith(topic.title), topic.definition


def test_dogs_are_told_with_breeds_characteristics_and_roles() -> None:
    article = answer("article", DOGS)
    paragraphs = article.split("\n\n")
    assert len(paragraphs) == 5
    facts = (DOGS.kinds, DOGS.traits, DOGS.roles)
    for aspect, paragraph in zip(facts, paragraphs[1:4], strict=True):
        assert DOGS.following(aspect[0]) in paragraph
        assert all(fact in paragraph for fact in aspect[1:])
    request = "Write an informative article on the diverse breeds of dogs, their unique characteristics, and their roles in various aspects of human life."
    asked = BY_NAME["article"].wording.requests
    assert request in [fill(each, DOGS, Wish(0, ("topic",))) for each in asked]
    assert len(answer("short", DOGS)) < len(article) / 4


def test_names_and_pronouns_take_each_other_s_place() -> None:
    heart = next(topic for topic in TOPICS if topic.name == "the heart")
    assert DOGS.opening("They bark.") == DOGS.opening("Dogs bark.") == "Dogs bark."
    assert DOGS.opening("Their ears move.") == "Dogs' ears move."
    assert heart.opening("Its valves close.") == "The heart's valves close."
    assert DOGS.following("Dogs bark.") == DOGS.following("They bark.") == "They bark."
    assert heart.following("The heart beats.") == "It beats."
    for untouched in ("The heart of a child beats fast.", "The heartbeat is heard."):
        assert heart.following(untouched) == heart.opening(untouched) == untouched


@pytest.mark.parametrize("style", STYLES, ids=[style.name for style in STYLES])
def test_a_style_answers_and_is_asked_for_on_every_topic(style: Style) -> None:
    wording = style.wording
    for topic in TOPICS:
        wish = style.wish(Random(topic.name))
        text = style.answer(Random(3), topic, wish)
        assert text == text.strip() and text
        assert "{" not in text or style.name == "json"
        for template in (*wording.requests, *wording.instructions, *wording.follow_ups):
            filled = fill(template, topic, wish)
            assert not re.search(r"[{}]", filled), filled
            assert "zero" not in filled, (style.name, template)


def test_counts_and_keys_are_obeyed() -> None:
    for topic in TOPICS:
        for count in (2, 3):
            assert len(sentences(answer("sentences", topic, count))) == count, topic.name
            assert answer("questions", topic, count).count("Q: ") == count
            assert topic.definition in answer("sentences", topic, count)
        for count in (2, 3, 4, 5):
            bullets = answer("bullets", topic, count).split("\n")
            assert len(bullets) == count and all(line.startswith("- ") for line in bullets)
            numbered = answer("numbered", topic, count).split("\n")
            assert [line.split(". ")[0] for line in numbered] == [*"12345"][:count]
        assert len(sentences(answer("one sentence", topic))) == 1
        for keys in (("topic", "summary"), JSON_KEYS, ("where",)):
            assert tuple(json.loads(answer("json", topic, keys=keys))) == keys
        assert "\n" not in answer("headline", topic) + answer("few words", topic)
    assert fill("{n} and {d}", DOGS, Wish(4, ("a", "b"))) == f"{NUMBERS[4]} and 4"
    assert fill("{key} {keys}", DOGS, Wish(0, ("a", "b", "c"))) == "keys a, b and c"
    assert fill("{key} {keys}", DOGS, Wish(0, ("a",))) == "key a"


def test_every_topic_has_an_own_question_that_its_definition_answers() -> None:
    definitions = {topic.name: topic.definition.lower() for topic in TOPICS}
    asked = set()
    for question, word in QUESTIONS.items():
        names = [name for name in definitions if re.search(rf"\b{name}\b", question.lower())]
        name = max(names, key=len)
        assert word in definitions[name], question
        asked.add(name)
    assert asked == set(definitions)
