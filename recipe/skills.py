"""Small skills of copying, looking up and sorting, each as a task drawn anew for every chat.

Instructions and examples only work on a model that has learned to take its answer from what stands
before it. So these have random words, names and numbers, and some have labels of their own.
"""

import json
from collections.abc import Callable
from random import Random

from . import words
from .task import Example, Task

Pair = tuple[str, str]


def skill(
    name: str,
    draw: Callable[[Random], Pair],
    instructions: tuple[str, ...],
    fields: tuple[Pair, ...] = (("Text", "Answer"),),
) -> Task:
    """A task whose plain answer is the right one, asked for by an instruction or by examples."""

    def example(random: Random) -> Example:
        asked, answer = draw(random)
        return Example(asked, answer, answer)

    return Task(name, example, (), instructions, fields)


def repeat(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        said = " ".join(words.some_words(random, 1, 6))
        if random.random() < 0.3:
            said = " ".join(words.number(random) for _ in range(random.randint(1, 3)))
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


def mentioned(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        one, two = random.sample(words.PLAIN, 2)
        right = random.choice((one, two))
        place = random.choice(words.CITIES)
        text = random.choice(
            (
                f"I saw the {right} in {place}.",
                f"The {right} was very {random.choice(words.ADJECTIVES)}.",
                f"{random.choice(words.NAMES)} likes the {right}.",
            )
        )
        return f"{text} {one} or {two}?", right

    return skill(
        "mentioned",
        draw,
        ("Which of the two is mentioned?", "Write which of the two words the text is about."),
    )


def contains(random: Random) -> Task:
    """Whether a word is in a list, answered with a pair of words drawn for the chat."""
    yes, no = random.choice((("yes", "no"), ("yes", "no"), ("true", "false"), ("in", "out")))

    def draw(random: Random) -> Pair:
        said = words.some_words(random, 2, 5)
        if random.random() < 0.5:
            return f"{' '.join(said)}. {random.choice(said)}?", yes
        other = random.choice([word for word in words.PLAIN if word not in said])
        return f"{' '.join(said)}. {other}?", no

    return skill(
        "contains",
        draw,
        (
            f"Is the word in the list? Answer {yes} or {no}.",
            f"Say {yes} if it is in the list, else {no}.",
        ),
    )


PEOPLE_SENTENCES = (
    "{name} from {city} has order number {number} and waits for a {color} {thing}.",
    "My name is {name}, I live in {city}, and my order {number} was a {color} {thing}.",
    "Hello, this is {name}. I bought a {color} {thing} in {city}. The number is {number}.",
    "In {city}, {name} ordered a {color} {thing} with the number {number}.",
    "Order {number}: one {color} {thing} for {name}, {city}.",
    "{name} sent a {color} {thing} to {city} and wrote {number} on the box.",
)
ASKED_FOR = {
    "name": ("the name", "Who is it about?"),
    "city": ("the city", "Which city is it?"),
    "number": ("the number", "What is the number?"),
    "color": ("the color", "Which color is it?"),
    "thing": ("the thing", "What was ordered?"),
}


def person(random: Random) -> dict[str, str]:
    """A person who ordered something, each part by its name."""
    group = random.choice(("garment", "furniture", "tool"))
    return {
        "name": random.choice(words.NAMES),
        "city": random.choice(words.CITIES),
        "number": words.number(random, 3, 6),
        "color": random.choice(words.COLORS),
        "thing": random.choice(words.GROUPS[group]),
    }


def extract(random: Random) -> Task:
    """One part of a sentence, or several as JSON or as lines; which ones is drawn for the chat."""
    several = random.random() < 0.35
    wanted = random.sample(tuple(ASKED_FOR), random.randint(2, 3) if several else 1)
    as_json = random.random() < 0.5

    def draw(random: Random) -> Pair:
        parts = person(random)
        asked = random.choice(PEOPLE_SENTENCES).format(**parts)
        if not several:
            return asked, parts[wanted[0]]
        chosen = {key: parts[key] for key in wanted}
        if as_json:
            return asked, json.dumps(chosen)
        return asked, "\n".join(f"{key}: {value}" for key, value in chosen.items())

    listed = " and ".join((", ".join(wanted[:-1]), wanted[-1])) if several else ""
    if several and as_json:
        rules = (
            f"Answer as JSON with the keys {listed}.",
            f"Extract {listed} as a JSON object.",
            f"Write a JSON object with {listed}.",
        )
    elif several:
        rules = (f"Write {listed}, one on each line.", f"List {listed} on lines of their own.")
    else:
        phrase, question = ASKED_FOR[wanted[0]]
        rules = (f"Write only {phrase}.", f"Extract {phrase}.", question)
    return skill(
        "extract", draw, rules, (("Text", wanted[0].capitalize() if not several else "Data"),)
    )


def fill_in(random: Random) -> Task:
    """A sentence made from given parts, by a template that is drawn for the chat."""
    template = random.choice(
        (
            "Dear {name}, your {thing} is on its way to {city}.",
            "Dear {name}, thank you for order {number}.",
            "{name} lives in {city} and likes {color}.",
            "Order {number}: {color} {thing}.",
            "Hello {name}! The {color} {thing} is ready.",
            "A {color} {thing} for {name} from {city}.",
        )
    )
    keys = [key for key in ASKED_FOR if f"{{{key}}}" in template]

    def draw(random: Random) -> Pair:
        parts = person(random)
        given = random.choice((", ", "; ", "\n")).join(f"{key}: {parts[key]}" for key in keys)
        return given, template.format(**parts)

    gap = template.replace("{", "[").replace("}", "]")
    return skill(
        "fill in",
        draw,
        (f"Fill in: {gap}", f"Write this with the given data: {gap}"),
        (("Data", "Text"),),
    )


def look_up(random: Random) -> Task:
    """The value of a key in a record of random keys."""

    def draw(random: Random) -> Pair:
        keys = random.sample(words.PLAIN, random.randint(2, 4))
        values = [
            words.number(random, 1, 3) if random.random() < 0.5 else words.any_word(random)
            for _ in keys
        ]
        index = random.randrange(len(keys))
        record = "; ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True))
        return f"{record}\n{keys[index]}?", values[index]

    return skill("look up", draw, ("Look up the value.", "Which value belongs to the key?"))


def who_has(random: Random) -> Task:
    def draw(random: Random) -> Pair:
        people = random.sample(words.NAMES, random.randint(2, 3))
        owned = [f"{random.choice(words.COLORS)} {random.choice(words.PLAIN)}" for _ in people]
        verb = random.choice(("has", "found", "sold", "wants"))
        story = " ".join(f"{p} {verb} a {o}." for p, o in zip(people, owned, strict=True))
        who = random.randrange(len(people))
        if random.random() < 0.5:
            return f"{story} Who {verb} the {owned[who]}?", people[who]
        ask = {"has": "have", "found": "find", "sold": "sell", "wants": "want"}[verb]
        helper = "does" if verb in ("has", "wants") else "did"
        return f"{story} What {helper} {people[who]} {ask}?", f"a {owned[who]}"

    return skill("who", draw, ("Answer the question.", "Answer from the text.", "Answer briefly."))


def sort_by_group(random: Random) -> Task:
    """Words sorted into groups under their own names."""
    names = random.sample(tuple(words.GROUPS), random.randint(2, 4))

    def draw(random: Random) -> Pair:
        name = random.choice(names)
        return random.choice(words.GROUPS[name]), name

    listed = ", ".join(names[:-1]) + f" or {names[-1]}"
    return skill(
        "sort",
        draw,
        (f"Sort the word: {listed}.", f"Is it {listed}?", f"Answer with one label: {listed}."),
        (("Word", "Label"), ("Word", "Group"), ("Thing", "Kind")),
    )


def sort_by_label(random: Random) -> Task:
    """Words sorted under labels that only the rule or the examples of this chat give."""
    names = random.sample(tuple(words.GROUPS), random.randint(2, 3))
    labels = dict(zip(names, random.sample(label_words(random), len(names)), strict=True))

    def draw(random: Random) -> Pair:
        name = random.choice(names)
        return random.choice(words.GROUPS[name]), labels[name]

    rule = ", ".join(f"{label} for {name}" for name, label in labels.items())
    return skill(
        "label",
        draw,
        (f"Answer {rule}.", f"Write {rule}."),
        (("Word", "Label"), ("Text", "Class"), ("Word", "Code")),
    )


def label_words(random: Random) -> list[str]:
    """Words that can be labels: letters, numbers, colors or invented ones."""
    return random.choice(
        (
            list("ABCDEFGH"),
            list("123456789"),
            list(words.COLORS),
            sorted({words.invented(random) for _ in range(6)}),
        )
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


SKILLS: tuple[Callable[[Random], Task], ...] = (
    repeat,
    repeat,
    repeat_twice,
    surround,
    add_word,
    upper,
    letters,
    count,
    position,
    following,
    arrange,
    replace,
    mentioned,
    contains,
    extract,
    extract,
    extract,
    fill_in,
    fill_in,
    look_up,
    who_has,
    sort_by_group,
    sort_by_label,
    sort_by_label,
    opposite,
    plural,
    sums,
)
"""Each makes a task for one chat; one named twice is drawn twice as often."""
