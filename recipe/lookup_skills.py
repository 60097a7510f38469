"""Small skills of looking up and sorting, each drawn for one chat: the answers stand in the text."""

import json
from random import Random

from . import words
from .orders import PEOPLE_SENTENCES, person
from .task import Pair, Task, skill


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


ASKED_FOR = {
    "name": ("the name", "Who is it about?"),
    "city": ("the city", "Which city is it?"),
    "number": ("the number", "What is the number?"),
    "color": ("the color", "Which color is it?"),
    "thing": ("the thing", "What was ordered?"),
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
