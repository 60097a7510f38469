"""The ways a topic can be answered: how each is composed from the topic's facts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .facts import KEYS, Topic
from .wordings import WORDINGS, Wording

NUMBERS = ("zero", "one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Wish:
    """What a request leaves to say beside the style: how many, and which keys."""

    count: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """One way of answering: how it is asked for and how the answer is composed."""

    name: str
    weight: float
    answer: Callable[[Random, Topic, Wish], str]
    counts: tuple[int, ...] = (0,)

    @property
    def wording(self) -> Wording:
        """How people ask for it."""
        return WORDINGS[self.name]

    def wish(self, random: Random) -> Wish:
        """How many and which keys, drawn from what the style takes."""
        keys = ["topic", *random.sample((*JSON_KEYS, "summary"), random.randint(1, 3))]
        if random.random() < 0.3:
            keys = random.sample((*JSON_KEYS, "summary"), random.randint(1, 3))
        return Wish(random.choice(self.counts), tuple(keys))


JSON_KEYS = tuple(key.replace(" ", "_") for key in KEYS)


def pick(random: Random, facts: tuple[str, ...], count: int) -> list[str]:
    """Choose facts without changing their order."""
    return [facts[i] for i in sorted(random.sample(range(len(facts)), min(count, len(facts))))]


def short(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join([topic.definition, *pick(random, topic.facts, random.choice((1, 1, 2)))])


def one_sentence(random: Random, topic: Topic, wish: Wish) -> str:
    return topic.definition


def sentences(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join([topic.definition, *pick(random, topic.facts, wish.count - 1)])


def paragraph(random: Random, topic: Topic, wish: Wish) -> str:
    chosen = [random.choice(aspect) for aspect in (topic.kinds, topic.traits, topic.roles)]
    return " ".join([topic.definition, *map(topic.opening, chosen[:1]), *chosen[1:]])


def lead(random: Random, topic: Topic, aspect: str) -> str:
    """The sentence that opens a paragraph on kinds, traits or roles."""
    name, title = topic.name, topic.title
    are, have, play, matter = (
        ("are", "have", "play", "matter") if topic.plural else ("is", "has", "plays", "matters")
    )
    return random.choice(
        {
            "kinds": (
                f"There are several {topic.kinds_word} of {name}.",
                f"The {topic.kinds_word} of {name} are diverse.",
                f"Let us begin with the {topic.kinds_word} of {name}.",
            ),
            "traits": (
                f"{title} {have} unique characteristics.",
                f"The characteristics of {name} are remarkable.",
                f"Some characteristics make {name} special.",
            ),
            "roles": (
                f"{title} {play} an important role in human life.",
                f"{title} {matter} to people in many ways.",
                f"The roles of {name} in human life are many.",
            ),
            "intro": (
                f"This article looks at the {topic.kinds_word}, the characteristics and the roles of "
                f"{name}.",
                f"To understand {name}, it helps to look closely.",
                f"There is much to say about {name}.",
            ),
            "close": (
                f"In short, {name} {are} worth a closer look.",
                f"All in all, {name} {matter} to us more than we may think.",
                f"For all these reasons, {name} {have} a firm place in our lives.",
            ),
        }[aspect]
    )


def article(random: Random, topic: Topic, wish: Wish) -> str:
    return "\n\n".join(
        (
            f"{topic.definition} {lead(random, topic, 'intro')}",
            " ".join((lead(random, topic, "kinds"), *topic.kinds)),
            " ".join((lead(random, topic, "traits"), *topic.traits)),
            " ".join((lead(random, topic, "roles"), *topic.roles)),
            lead(random, topic, "close"),
        )
    )


def titled_article(random: Random, topic: Topic, wish: Wish) -> str:
    return f"{topic.headline}\n\n{article(random, topic, wish)}"


def bullets(random: Random, topic: Topic, wish: Wish) -> str:
    return "\n".join(f"- {point}" for point in topic.points[: wish.count])


def long_bullets(random: Random, topic: Topic, wish: Wish) -> str:
    facts = pick(random, topic.facts, wish.count)
    return "\n".join(f"- {topic.opening(fact)}" for fact in facts)


def numbered(random: Random, topic: Topic, wish: Wish) -> str:
    facts = pick(random, topic.facts, wish.count)
    return "\n".join(f"{i}. {topic.opening(fact)}" for i, fact in enumerate(facts, 1))


def child(random: Random, topic: Topic, wish: Wish) -> str:
    end = random.choice(
        ("Isn't that nice?", "Isn't that fun?", "Now you know it too!", "What a wonder!")
    )
    return " ".join((*topic.child[: random.choice((1, 2))], end))


def formal(random: Random, topic: Topic, wish: Wish) -> str:
    trait, role = (topic.opening(random.choice(them)) for them in (topic.traits, topic.roles))
    return (
        f"It may be stated as follows. {topic.definition} It should be noted: {trait} "
        f"It may furthermore be added: {role}"
    )


def kinds(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((lead(random, topic, "kinds"), *topic.kinds))


def traits(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((lead(random, topic, "traits"), *topic.traits))


def roles(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((lead(random, topic, "roles"), *topic.roles))


def as_json(random: Random, topic: Topic, wish: Wish) -> str:
    values = {"topic": topic.name, "summary": topic.definition}
    values |= {key.replace(" ", "_"): value for key, value in topic.values.items()}
    return json.dumps({key: values[key] for key in wish.keys})


def headline(random: Random, topic: Topic, wish: Wish) -> str:
    return topic.headline


def few_words(random: Random, topic: Topic, wish: Wish) -> str:
    kind = topic.values["kind"]
    return f"{kind[0].upper()}{kind[1:]}, known for {topic.values['known for']}"


def questions(random: Random, topic: Topic, wish: Wish) -> str:
    chosen = sorted(random.sample(range(len(topic.questions)), wish.count))
    return "\n\n".join("Q: {}\nA: {}".format(*topic.questions[i]) for i in chosen)


STYLES = (
    Style("short", 0.2, short),
    Style("one sentence", 0.1, one_sentence),
    Style("sentences", 0.06, sentences, (2, 3)),
    Style("paragraph", 0.04, paragraph),
    Style("article", 0.13, article),
    Style("titled article", 0.02, titled_article),
    Style("bullets", 0.06, bullets, (2, 3, 4, 5)),
    Style("all bullets", 0.06, bullets, (5,)),
    Style("long bullets", 0.03, long_bullets, (3, 4)),
    Style("numbered", 0.05, numbered, (2, 3, 4, 5)),
    Style("child", 0.07, child),
    Style("formal", 0.05, formal),
    Style("kinds", 0.04, kinds),
    Style("traits", 0.04, traits),
    Style("roles", 0.04, roles),
    Style("json", 0.05, as_json),
    Style("headline", 0.03, headline),
    Style("few words", 0.03, few_words),
    Style("questions", 0.02, questions, (1, 2, 3)),
)


def fill(
    template: str,
    topic: Topic,
    wish: Wish,
    kinds_word: str | None = None,
    aspect: str = "many kinds",
) -> str:
    """Put topic and wish into a request, with the topic's own word for its kinds or another one."""
    plural = topic.plural
    return template.format(
        t=topic.name,
        T=topic.title,
        s=topic.one,
        k=kinds_word or topic.kinds_word,
        a=aspect,
        are="are" if plural else "is",
        do="do" if plural else "does",
        p="they" if plural else "it",
        m="them" if plural else "it",
        their="their" if plural else "its",
        n=NUMBERS[wish.count],
        d=wish.count,
        keys=", ".join(wish.keys[:-1]) + f" and {wish.keys[-1]}" if wish.keys[1:] else wish.keys[0],
        key="key" if len(wish.keys) == 1 else "keys",
    )
