"""The ways a topic can be asked for and answered: requests, system instructions and replies."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .facts import Topic


@dataclass(frozen=True)
class Style:
    """One way of answering: how it is asked for and how the answer is composed."""

    name: str
    weight: float
    requests: tuple[str, ...]
    instructions: tuple[str, ...]
    follow_ups: tuple[str, ...]
    answer: Callable[[Random, Topic], str]


def pick(random: Random, facts: tuple[str, ...], count: int) -> list[str]:
    """Choose facts without changing their order."""
    return [facts[i] for i in sorted(random.sample(range(len(facts)), min(count, len(facts))))]


def short(random: Random, topic: Topic) -> str:
    return " ".join([topic.definition, *pick(random, topic.facts, random.choice((1, 1, 2)))])


def one_sentence(random: Random, topic: Topic) -> str:
    return topic.definition


def article(random: Random, topic: Topic) -> str:
    name, title = topic.name, topic.title
    are, have, play, matter, remain = (
        ("are", "have", "play", "matter", "remain")
        if topic.plural
        else ("is", "has", "plays", "matters", "remains")
    )
    intro = random.choice(
        (
            f"This article looks at the {topic.kinds_word}, the characteristics and the roles of {name}.",
            f"To understand {name}, it helps to look at them closely."
            if topic.plural
            else f"To understand {name}, it helps to look closely.",
            f"There is much to say about {name}.",
        )
    )
    kinds = random.choice(
        (
            f"There are several {topic.kinds_word} of {name}.",
            f"The {topic.kinds_word} of {name} are diverse.",
            f"Let us begin with the {topic.kinds_word} of {name}.",
        )
    )
    traits = random.choice(
        (
            f"{title} {have} unique characteristics.",
            f"The characteristics of {name} are remarkable.",
            f"Some characteristics make {name} special.",
        )
    )
    roles = random.choice(
        (
            f"{title} {play} an important role in human life.",
            f"{title} {matter} to people in many ways.",
            f"The roles of {name} in human life are many.",
        )
    )
    close = random.choice(
        (
            f"In short, {name} {are} worth a closer look.",
            f"All in all, {name} {remain} an important part of our world.",
            f"For all these reasons, {name} {have} a firm place in our lives.",
        )
    )
    return "\n\n".join(
        (
            f"{topic.definition} {intro}",
            " ".join((kinds, *topic.kinds)),
            " ".join((traits, *topic.traits)),
            " ".join((roles, *topic.roles)),
            close,
        )
    )


def bullets(random: Random, topic: Topic) -> str:
    facts = pick(random, topic.facts, random.choice((3, 4, 5)))
    return "\n".join(f"- {fact}" for fact in (topic.definition, *facts))


def three_facts(random: Random, topic: Topic) -> str:
    facts = pick(random, topic.facts, 3)
    return "\n".join(f"{i}. {topic.opening(fact)}" for i, fact in enumerate(facts, 1))


def child(random: Random, topic: Topic) -> str:
    end = random.choice(
        ("Isn't that nice?", "Isn't that fun?", "Now you know it too!", "What a wonder!")
    )
    return f"{topic.child} {end}"


def formal(random: Random, topic: Topic) -> str:
    traits = " ".join(topic.opening(fact) for fact in pick(random, topic.traits, 1))
    role = topic.opening(random.choice(topic.roles))
    return (
        f"It may be stated as follows. {topic.definition} It should be noted: {traits} "
        f"It may furthermore be added: {role}"
    )


def kinds(random: Random, topic: Topic) -> str:
    return " ".join((f"There are several {topic.kinds_word} of {topic.name}.", *topic.kinds))


def traits(random: Random, topic: Topic) -> str:
    return " ".join((topic.opening(topic.traits[0]), *topic.traits[1:]))


def roles(random: Random, topic: Topic) -> str:
    return " ".join((topic.opening(topic.roles[0]), *topic.roles[1:]))


def as_json(random: Random, topic: Topic) -> str:
    return json.dumps({"topic": topic.name, "summary": topic.definition})


STYLES = (
    Style(
        "short",
        0.27,
        (
            "Tell me about {t}.",
            "Tell me about {t}.",
            "Tell me something about {t}.",
            "What can you tell me about {t}?",
            "What do you know about {t}?",
            "Please tell me about {t}.",
            "I would like to know about {t}.",
            "Talk about {t}.",
            "Can you tell me about {t}?",
            "{T}?",
            "{T}",
            "Give me a short answer about {t}.",
            "Describe {t}.",
        ),
        ("Keep your answers short.", "Answer in two or three sentences.", "Be brief."),
        ("Give me a short answer.", "Tell me more generally.", "Make it shorter."),
        short,
    ),
    Style(
        "one_sentence",
        0.1,
        (
            "What {are} {t}?",
            "What is {s}?",
            "Describe {t} in one sentence.",
            "Tell me about {t} in one sentence.",
            "In one sentence, what {are} {t}?",
            "Explain {t} in a single sentence.",
            "Define {t}.",
            "Summarize {t} in one sentence.",
        ),
        (
            "Answer in one sentence.",
            "Always answer in exactly one sentence.",
            "Reply with a single sentence.",
            "Use one sentence only.",
        ),
        ("Now in one sentence.", "Say it in one sentence.", "Can you sum it up in one sentence?"),
        one_sentence,
    ),
    Style(
        "article",
        0.17,
        (
            "Write an informative article on the diverse {k} of {t}, their unique characteristics, "
            "and their roles in various aspects of human life.",
            "Write an informative article on the {a} of {t}, their unique characteristics, and their "
            "roles in various aspects of human life.",
            "Write an informative article on {t}.",
            "Write an informative article about {t}, their characteristics and their roles.",
            "Write a detailed article about {t}.",
            "Write a long article about {t}.",
            "Write an article about the {k} of {t}, their characteristics and their uses.",
            "Tell me about {t} in detail.",
            "Explain {t} in detail.",
            "Give me a detailed description of {t} in several paragraphs.",
            "Write several paragraphs about {t}.",
            "Write an essay about {t}.",
            "I need a detailed text about {t}. Cover {k}, characteristics and roles.",
        ),
        (
            "Write detailed and informative articles.",
            "Answer with an informative article of several paragraphs.",
            "Answer in detail, in several paragraphs.",
            "Cover the kinds, the unique characteristics and the roles in human life.",
            "Write an informative article for every topic.",
        ),
        ("Now write an informative article.", "Tell me in detail.", "Please write a long answer."),
        article,
    ),
    Style(
        "bullets",
        0.11,
        (
            "List some facts about {t}.",
            "Give me a bulleted list about {t}.",
            "Tell me about {t} as a bulleted list.",
            "Write a bulleted list of facts about {t}.",
            "Tell me about {t} in bullet points.",
            "What should I know about {t}? Use bullet points.",
            "Make a list of facts about {t}.",
        ),
        (
            "Answer with a bulleted list.",
            "Always answer in bullet points.",
            "Use a list with one fact per line.",
            "Format every answer as a bulleted list.",
        ),
        ("Give me a list instead.", "Now as bullet points.", "Make it a bulleted list."),
        bullets,
    ),
    Style(
        "three_facts",
        0.05,
        (
            "Give me three facts about {t}.",
            "Name three facts about {t}.",
            "Tell me three things about {t}.",
            "Write a numbered list of three facts about {t}.",
        ),
        ("Answer with three numbered facts.", "Give exactly three facts in a numbered list."),
        ("Give me three facts.", "Now as a numbered list of three facts."),
        three_facts,
    ),
    Style(
        "child",
        0.08,
        (
            "Explain {t} to a child.",
            "Tell a child about {t}.",
            "Tell me about {t} as if I were five years old.",
            "Explain {t} to a five-year-old.",
            "How would you explain {t} to a small child?",
            "Tell me about {t} in words for a child.",
        ),
        (
            "You speak to small children.",
            "Explain everything so that a child can understand it.",
            "Use simple words for a child.",
            "Your readers are five years old.",
        ),
        ("Now explain it to a child.", "Can you say that for a child?"),
        child,
    ),
    Style(
        "formal",
        0.07,
        (
            "Describe {t} in a formal style.",
            "Give a formal description of {t}.",
            "Tell me about {t} in a formal tone.",
            "Write a formal statement about {t}.",
        ),
        (
            "Use a formal tone.",
            "Answer in a formal style.",
            "Be formal and precise.",
            "Write formally.",
        ),
        ("Now say it formally.", "Please use a formal tone."),
        formal,
    ),
    Style(
        "kinds",
        0.05,
        (
            "What {k} of {t} are there?",
            "Which {k} of {t} do you know?",
            "Tell me about the {k} of {t}.",
            "Name some {k} of {t}.",
        ),
        (),
        ("What {k} are there?", "Which {k} are there?"),
        kinds,
    ),
    Style(
        "traits",
        0.04,
        (
            "What are the characteristics of {t}?",
            "What is special about {t}?",
            "Describe the characteristics of {t}.",
        ),
        (),
        ("What is special about {m}?", "What are the characteristics?"),
        traits,
    ),
    Style(
        "roles",
        0.04,
        (
            "What roles {do} {t} play in human life?",
            "Why {are} {t} important?",
            "What {are} {t} good for?",
            "Why do people need {t}?",
        ),
        (),
        ("Why {are} {p} important?", "What {are} {p} good for?"),
        roles,
    ),
    Style(
        "json",
        0.02,
        (
            "Describe {t} as JSON with the keys topic and summary.",
            'Give me a JSON object with "topic" and "summary" for {t}.',
        ),
        ("Answer as a JSON object with the keys topic and summary.",),
        ("Now as JSON with the keys topic and summary.",),
        as_json,
    ),
)


def fill(
    template: str, topic: Topic, kinds_word: str | None = None, aspect: str = "many kinds"
) -> str:
    """Put the topic into a request, with the topic's own word for its kinds or another one."""
    plural = topic.plural
    return template.format(
        t=topic.name,
        T=topic.title,
        s=topic.singular or topic.name,
        k=kinds_word or topic.kinds_word,
        a=aspect,
        are="are" if plural else "is",
        do="do" if plural else "does",
        p="they" if plural else "it",
        m="them" if plural else "it",
    )
