"""Small skills on words and numbers: copying, spelling, counting, arranging, each drawn for one chat."""

import json
from random import Random

from . import words
from .orders import PEOPLE_SENTENCES, person
from .task import Pair, Task, skill


def repeat(random: Random) -> Task:
    """Words, invented words, numbers, or a whole sentence of a person's order, said once more."""
    kind = random.randrange(5)

    def draw(random: Random) -> Pair:
        if kind == 0:
            said = " ".join(words.number(random) for _ in range(random.randint(1, 4)))
        elif kind == 1:
            said = " ".join(words.invented(random) for _ in range(random.randint(1, 6)))
        elif kind == 2:
            said = random.choice(PEOPLE_SENTENCES).format(**person(random))
        else:
            said = " ".join(words.some_words(random, 1, 12))
        return said, said

    return skill(
        "repeat",
        draw,
        (
            "Repeat what the user says.",
            "Repeat this:",
            "Repeat the words exactly.",
            "Say the same words again.",
            "Copy the text and add nothing.",
        ),
    )


def repeat_twice(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        said = " ".join(words.some_words(random, 1, 2))
        return said, f"{said} {said}"

    return skill("twice", draw, ("Say it twice.", "Write the words two times.", "Repeat it twice."))


def surround(random: Random) -> Task:
    """Words between marks, which are drawn for the chat."""
    before, after = random.choice(
        (
            ('"', '"'),
            ("(", ")"),
            ("[", "]"),
            ("*", "*"),
            ("<", ">"),
            ("", "!"),
            ("", "?"),
            ("- ", ""),
        )
    )

    def draw(random: Random) -> Pair:
        said = " ".join(words.some_words(random, 1, 3))
        return said, f"{before}{said}{after}"

    shown = f"{before}words{after}"
    return skill(
        "surround", draw, (f"Write the words as {shown}.", f"Put the text like this: {shown}")
    )


def add_word(random: Random) -> Task:
    """The input with one more word, drawn for the chat, at its start or its end."""
    extra, first = words.any_word(random), random.random() < 0.5

    def draw(random: Random) -> Pair:
        said = " ".join(words.some_words(random, 1, 4))
        return said, f"{extra} {said}" if first else f"{said} {extra}"

    where = "before" if first else "after"
    return skill(
        "add a word",
        draw,
        (f"Write {extra} {where} the words.", f"Add the word {extra} {where} what the user says."),
    )


def upper(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        word = random.choice(words.WORDS)
        return word, word.upper()

    return skill(
        "capitals",
        draw,
        (
            "Write the word in capitals.",
            "Write it in capital letters.",
            "Use capital letters only.",
        ),
        (("Word", "Capitals"),),
    )


def letters(random: Random) -> Task:
    """The first letter, the last one, or all of them apart."""
    which = random.choice(("first", "last", "all"))

    def draw(random: Random) -> Pair:
        word = words.any_word(random)
        return word, {"first": word[0], "last": word[-1], "all": "-".join(word)}[which]

    if which == "all":
        return skill("spell", draw, ("Spell the word.", "Write the letters of the word apart."))
    return skill(
        "letter",
        draw,
        (f"Write the {which} letter of the word.", f"What is the {which} letter of this word?"),
        (("Word", "Letter"),),
    )


def count(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        said = words.some_words(random, 1, 5)
        return " ".join(said), str(len(said))

    return skill(
        "count",
        draw,
        ("Count the words.", "How many words are these?", "Write the number of words."),
        (("Words", "Number"),),
    )


def position(random: Random) -> Task:
    """The word at a place that is drawn for the chat."""
    name, index = random.choice((("first", 0), ("second", 1), ("third", 2), ("last", -1)))

    def draw(random: Random) -> Pair:
        said = words.some_words(random, 3, 6)
        return random.choice((" ", ", ")).join(said), said[index]

    return skill(
        "position",
        draw,
        (
            f"Write only the {name} word.",
            f"Which word is the {name} one?",
            f"Give the {name} word.",
        ),
        (("List", "Word"),),
    )


def following(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        said = words.some_words(random, 3, 6)
        index = random.randrange(len(said) - 1)
        return f"{' '.join(said)}\nAfter {said[index]}", said[index + 1]

    return skill(
        "following", draw, ("Which word follows?", "Write the word that comes next in the list.")
    )


def arrange(random: Random) -> Task:
    """Words written as a list of a form that is drawn for the chat."""
    form, wanted = random.choice(
        (
            (", ".join, "with commas between them"),
            (" - ".join, "with dashes between them"),
            (" and ".join, "with and between them"),
            ("\n".join, "one on each line"),
            (lambda said: "\n".join(f"- {word}" for word in said), "as a bulleted list"),
            (
                lambda said: "\n".join(f"{i}. {word}" for i, word in enumerate(said, 1)),
                "as a numbered list",
            ),
            (lambda said: " ".join(reversed(said)), "in reverse order"),
            (lambda said: json.dumps(said, ensure_ascii=False), "as a JSON list"),
        )
    )

    def draw(random: Random) -> Pair:
        said = words.some_words(random, 2, 4)
        return " ".join(said), form(said)

    return skill("arrange", draw, (f"Write the words {wanted}.", f"Put the words {wanted}."))


def replace(random: Random) -> Task:
    """One word put in the place of another, both drawn for the chat."""
    old, new = random.sample(words.COLORS, 2)

    def draw(random: Random) -> Pair:
        thing, other = random.sample(words.PLAIN, 2)
        text = random.choice(
            (f"the {old} {thing}", f"the {thing} is {old}", f"a {old} {thing} and a {other}")
        )
        return text, text.replace(old, new)

    return skill(
        "replace",
        draw,
        (f"Replace {old} with {new}.", f"Write {new} where it says {old}."),
    )


def opposite(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        one, two = random.choice(tuple(words.OPPOSITES.items()))
        return random.choice(((one, two), (two, one)))

    return skill(
        "opposite",
        draw,
        ("Write the opposite.", "What is the opposite?", "Answer with the opposite word."),
        (("Word", "Opposite"),),
    )


def plural(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        word = random.choice(
            [word for word in words.PLAIN if word[-1] not in "yshfx" and word != "leaf"]
        )
        return word, f"{word}s"

    return skill(
        "plural", draw, ("Write the plural.", "What is the plural?"), (("Singular", "Plural"),)
    )


def sums(random: Random) -> Task:
    """Sums of small numbers, or the number that comes next."""
    following_number = random.random() < 0.4

    def draw(random: Random) -> Pair:
        if following_number:
            value = random.randrange(1, 99)
            return str(value), str(value + 1)
        one, two = random.randrange(10), random.randrange(10)
        return f"{one} + {two}", str(one + two)

    if following_number:
        return skill("next", draw, ("Write the next number.", "Which number comes next?"))
    return skill("sum", draw, ("Add the numbers.", "Write the sum."), (("Sum", "Result"),))
