"""The topics the bundled model knows: facts written for this project, read from facts.txt."""

from dataclasses import dataclass
from pathlib import Path

FACTS_FILE = Path(__file__).with_name("facts.txt")
SINGULARS = {"butterflies": "butterfly", "potatoes": "potato", "volcanoes": "volcano"}
WITHOUT_SINGULAR = {"fish", "clothes"}


@dataclass(frozen=True)
class Topic:
    """One everyday topic and all that the model is to know of it."""

    name: str
    plural: bool
    kinds_word: str
    definition: str
    kinds: tuple[str, ...]
    traits: tuple[str, ...]
    roles: tuple[str, ...]
    child: str

    @property
    def title(self) -> str:
        """The name with a capital, as it opens a sentence."""
        return self.name[0].upper() + self.name[1:]

    @property
    def singular(self) -> str | None:
        """The name with its article, or None where English has no singular."""
        if not self.plural or self.name in WITHOUT_SINGULAR:
            return None
        word = SINGULARS.get(self.name, self.name.removesuffix("s"))
        return ("an " if word[0] in "aeiou" else "a ") + word

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact but the definition, in the one order in which they are told."""
        return self.kinds + self.traits + self.roles

    def opening(self, fact: str) -> str:
        """The fact with the topic's name in place of a leading pronoun."""
        pronoun = "They " if self.plural else "It "
        return self.title + fact[len(pronoun) - 1 :] if fact.startswith(pronoun) else fact


def load_topics(path: Path = FACTS_FILE) -> tuple[Topic, ...]:
    """Read the topics, in file order.

    A block starts with ``@ name | pronoun | word for its kinds``; each further line is one sentence,
    marked ``=`` definition, ``k`` kind, ``t`` trait, ``r`` role or ``c`` for a child.
    """
    topics = []
    for block in path.read_text(encoding="utf-8").split("@ ")[1:]:
        head, *lines = block.strip().split("\n")
        name, pronoun, kinds_word = (part.strip() for part in head.split("|"))
        marked: dict[str, list[str]] = {mark: [] for mark in "=ktrc"}
        for line in lines:
            marked[line[0]].append(line[2:])
        topics.append(
            Topic(
                name=name,
                plural=pronoun == "They",
                kinds_word=kinds_word,
                definition=marked["="][0],
                kinds=tuple(marked["k"]),
                traits=tuple(marked["t"]),
                roles=tuple(marked["r"]),
                child=marked["c"][0],
            )
        )
    return tuple(topics)
