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
    """What a request leaves to say beside the style: how many, and which keys, with what before the last."""

    count: int
    keys: tuple[str, ...]
    last: str = " and "


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
        last = random.choice((" and ", " and ", ", "))
        return Wish(random.choice(self.counts), tuple(keys), last)


JSON_KEYS = tuple(key.replace(" ", "_") for key in KEYS)


def pick(random: Random, facts: tuple[str, ...], count: int) -> list[str]:
    """Choose facts without changing their order."""
    return [facts[i] for i in sorted(random.sample(range(len(facts)), min(count, len(facts))))]


def told(topic: Topic, facts: list[str]) -> str:
    """The definition and facts that are clear after it."""
    rest = [topic.following(fact) for fact in facts[:1]] + [*map(topic.opening, facts[1:])]
    return " ".join((topic.definition, *rest))


def short(random: Random, topic: Topic, wish: Wish) -> str:
    return told(topic, pick(random, topic.traits + topic.roles, random.choice((1, 1, 2))))


def one_sentence(random: Random, topic: Topic, wish: Wish) -> str:
    return topic.definition


def sentences(random: Random, topic: Topic, wish: Wish) -> str:
    return told(topic, pick(random, topic.traits + topic.roles, wish.count - 1))


def paragraph(random: Random, topic: Topic, wish: Wish) -> str:
    return told(topic, [random.choice(them) for them in (topic.kinds, topic.traits, topic.roles)])


def lead(random: Random, topic: Topic, part: str) -> str:
    """The sentence that opens a paragraph on kinds, traits or roles."""
    name, title = topic.name, topic.title
    are, have, play, matter, mean = (
        ("are", "have", "play", "matter", "mean")
        if topic.plural
        else ("is", "has", "plays", "matters", "means")
    )
    return random.choice(
        {
            "kinds": (
                f"There are several {topic.kinds_word} of {name}.",
                f"People tell several {topic.kinds_word} of {name} apart.",
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
                f"It is worth asking what {name} {mean} to people.",
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
                f"For all these reasons, it pays to know {name} well.",
            ),
        }[part]
    )


def aspect(topic: Topic, start: str, facts: tuple[str, ...]) -> str:
    """A paragraph of a sentence that names the topic, and facts."""
    return " ".join((start, topic.following(facts[0]), *facts[1:]))


def article(random: Random, topic: Topic, wish: Wish) -> str:
    return "\n\n".join(
        (
            f"{topic.definition} {lead(random, topic, 'intro')}",
            " ".join((lead(random, topic, "kinds"), *topic.kinds)),
            aspect(topic, lead(random, topic, "traits"), topic.traits),
            aspect(topic, lead(random, topic, "roles"), topic.roles),
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
        f"The following may be stated about {topic.name}. {topic.definition} {trait} It should "
        f"furthermore be noted: {role}"
    )


def kinds(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((f"There are several {topic.kinds_word} of {topic.name}.", *topic.kinds))


def traits(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((topic.opening(topic.traits[0]), *topic.traits[1:]))


def roles(random: Random, topic: Topic, wish: Wish) -> str:
    return " ".join((topic.opening(topic.roles[0]), *topic.roles[1:]))


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
    Style("json", 0.07, as_json),
    Style("headline", 0.03, headline),
    Style("few words", 0.03, few_words),
    Style("questions", 0.02, questions, (2, 3)),
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
        keys=", ".join(wish.keys[:-1]) + f"{wish.last}{wish.keys[-1]}"
        if wish.keys[1:]
        else wish.keys[0],
        key="key" if len(wish.keys) == 1 else "keys",
    )
