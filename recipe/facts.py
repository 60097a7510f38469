"""The topics the bundled model knows: facts written for this project, a file each in topics/."""

from dataclasses import dataclass
from pathlib import Path

TOPICS_FOLDER = Path(__file__).with_name("topics")
KEYS = ("kind", "where", "known for", "used for")
MARKS = "=ktrc-h?j"
PREPOSITIONS = ("of", "in", "with", "from", "on")


@dataclass(frozen=True)
class Topic:
    """One everyday topic and all that the model is to know of it.

    ``kinds``, ``traits`` and ``roles`` are its facts by aspect, as sentences; ``points`` are short
    forms for lists; ``questions`` are (question, answer) pairs; ``values`` has one value for each of
    `KEYS`.
    """

    name: str
    plural: bool
    kinds_word: str
    one: str
    definition: str
    kinds: tuple[str, ...]
    traits: tuple[str, ...]
    roles: tuple[str, ...]
    child: tuple[str, ...]
    points: tuple[str, ...]
    headline: str
    questions: tuple[tuple[str, str], ...]
    values: dict[str, str]

    @property
    def title(self) -> str:
        """The name with a capital, as it opens a sentence."""
        return self.name[0].upper() + self.name[1:]

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact but the definition, in the one order in which they are told."""
        return self.kinds + self.traits + self.roles

    def following(self, fact: str) -> str:
        """The fact with a pronoun in place of the leading name, after a sentence on the topic."""
        rest = fact.removeprefix(f"{self.title} ")
        if rest == fact or rest.split()[0] in PREPOSITIONS:
            return fact
        return ("They " if self.plural else "It ") + rest

    def opening(self, fact: str) -> str:
        """The fact with the topic's name in place of a leading pronoun."""
        they, their = ("They ", "Their ") if self.plural else ("It ", "Its ")
        if fact.startswith(they):
            return self.title + fact[len(they) - 1 :]
        if fact.startswith(their):
            return self.title + ("' " if self.title.endswith("s") else "'s ") + fact[len(their) :]
        return fact


def load_topics(folder: Path = TOPICS_FOLDER) -> tuple[Topic, ...]:
    """Read the topics, in the order of their files' names."""
    return tuple(read_topic(path) for path in sorted(folder.glob("*.txt")))


def read_topic(path: Path) -> Topic:
    """Read one file.

    Its first line is ``name | they or it | word for its kinds | one of it``. Each further line starts
    with a mark: ``=`` definition, ``k`` kind, ``t`` trait, ``r`` role, ``c`` for a child, ``-`` point
    of a list, ``h`` headline, ``?`` question and answer with ``|`` between, ``j`` key and value with
    a colon between.
    """
    head, *lines = path.read_text(encoding="utf-8").strip().split("\n")
    name, pronoun, kinds_word, one = (part.strip() for part in head.split("|"))
    marked: dict[str, list[str]] = {mark: [] for mark in MARKS}
    for line in lines:
        marked[line[0]].append(line[2:])
    questions = [tuple(line.split(" | ")) for line in marked["?"]]
    return Topic(
        name=name,
        plural=pronoun == "they",
        kinds_word=kinds_word,
        one=one,
        definition=marked["="][0],
        kinds=tuple(marked["k"]),
        traits=tuple(marked["t"]),
        roles=tuple(marked["r"]),
        child=tuple(marked["c"]),
        points=tuple(marked["-"]),
        headline=marked["h"][0],
        questions=tuple((question, answer) for question, answer in questions),
        values=dict(line.split(": ", 1) for line in marked["j"]),
    )
