"""The training text is complete, repeatable and well formed."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from recipe.chats import Chat
from recipe.facts import load_topics
from recipe.own_questions import QUESTIONS
from recipe.styles import STYLES
from recipe.text import MAKERS, chats, conversation, more, touched

ROOT = Path(__file__).parents[2]
SOME = list(islice(chats(7), 6000))


def test_the_same_seed_gives_the_same_chats() -> None:
    assert list(islice(chats(7), 200)) == SOME[:200]
    assert list(islice(chats(8), 200)) != SOME[:200]


def well_formed(chat: Chat) -> None:
    roles = [message["role"] for message in chat]
    turns = roles[1:] if roles[0] == "system" else roles
    assert turns == ["user", "assistant"] * (len(turns) // 2) and turns
    for message in chat:
        text = message["content"]
        assert text == text.strip() and text and "<|" not in text and "\0" not in text


@pytest.mark.parametrize("maker", [m for m, _ in MAKERS], ids=[m.__name__ for m, _ in MAKERS])
def test_chats_take_turns_and_end_with_an_answer(maker: Callable[[Random], Chat]) -> None:
    random = Random(5)
    for _ in range(300):
        well_formed(maker(random))


def test_every_topic_and_every_style_is_there_often() -> None:
    said = Counter(message["content"] for chat in SOME for message in chat)
    whole = "\n".join(said)
    for topic in load_topics():
        assert whole.count(topic.definition) > 7, topic.name
    asked = Counter(
        style.name
        for style in STYLES
        for rule in style.wording.instructions
        for text, count in said.items()
        for _ in range(count)
        if "{" not in rule and rule in text
    )
    fixed = [s.name for s in STYLES if any("{" not in r for r in s.wording.instructions)]
    assert all(asked[name] > 3 for name in fixed), asked


def test_no_question_of_the_suites_is_in_the_text() -> None:
    said = {message["content"].lower() for chat in SOME for message in chat}
    assert not said & {question.lower() for question in QUESTIONS}


def test_more_tells_what_was_not_told() -> None:
    topic = load_topics()[0]
    told = " ".join(topic.facts[:4])
    for seed in range(20):
        answer = more(Random(seed), topic, told)[-1]["content"]
        assert not any(fact in answer for fact in topic.facts[:4])
        assert any(fact in answer for fact in topic.facts[5:])
    everything = " ".join(topic.facts)
    assert more(Random(1), topic, everything)[-1]["content"].startswith("That is all I know")
    assert any(len(conversation(Random(seed))) >= 6 for seed in range(20))


def test_added_words_stand_where_the_instruction_wants_them() -> None:
    for seed in range(60):
        chat = touched(Random(seed))
        rule, answer = chat[0]["content"], chat[-1]["content"]
        if '"' in rule:
            said = rule.split('"')[1]
            assert (answer.startswith if "Start" in rule else answer.endswith)(said)


def test_a_sample_of_the_text_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recipe", "text", "--count", "5", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = "".join(
        "".join(f"{m['role']}: {m['content']}\n" for m in chat) + "\n" for chat in SOME[:5]
    )
    assert done.stdout == expected
