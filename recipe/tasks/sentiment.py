"""Reviews and their labels: positive, negative or neutral."""

from pathlib import Path
from random import Random

from ..split import Combination, Made, draw
from ..task import Example, Task
from .lists import read_lists
from .specialty import Specialty

NAME = "sentiment"
MARKS = {"positive": "+", "negative": "-", "neutral": "="}
LABELS = tuple(MARKS)
OPENINGS = (
    "The {thing} was {word}.",
    "The {thing} is {word}.",
    "I found the {thing} {word}.",
    "This {thing} is {word}.",
    "I think the {thing} is {word}.",
    "For me the {thing} was {word}.",
    "Our {thing} was {word}, I would say.",
)
TRIED = (
    "We tried the {thing}.",
    "This is about the {thing}.",
    "Yesterday it was the {thing}.",
    "My first {thing}.",
    "A word about the {thing}:",
)
PLAINLY = (
    "It sounds {}.",
    "I would say that it is {}.",
    "The review seems to be {}.",
    "This one sounds rather {} to me.",
)
REQUESTS = (
    "Is this review positive, negative or neutral? {}",
    "What is the sentiment of this review? {}",
    "How does this review sound? {}",
    "Is the writer happy? {}",
    "Classify this review: {}",
    "What do you think of this review? {}",
    "Review: {}",
    "{}",
)
INSTRUCTIONS = (
    "You sort reviews. Answer with exactly one word: positive, negative or neutral.",
    "Classify the sentiment of the review as positive, negative or neutral. Write the label alone.",
    "Answer with one word: positive, negative or neutral.",
    "You label reviews. Reply with positive, negative or neutral and nothing else.",
    "Read the review and give its label, one of positive, negative, neutral.",
    "Label each review with one word, in small letters: positive, negative or neutral.",
)
FIELDS = (
    ("Review", "Sentiment"),
    ("Review", "Label"),
    ("Text", "Label"),
    ("Text", "Sentiment"),
    ("Input", "Output"),
)


WORDS = read_lists(Path(__file__).with_suffix(".txt"))


def make(random: Random) -> Made:
    """A review of one to three sentences, all of which have the same label."""
    label = random.choice(LABELS)
    thing = random.choice(WORDS["things"])
    word, sentence, end = (
        random.choice(WORDS[f"{MARKS[label]} {what}"])
        for what in ("adjectives", "sentences", "ends")
    )
    combinations: tuple[Combination, ...]
    match random.randrange(5):
        case 0 | 1 as more:
            review = random.choice(OPENINGS).format(thing=thing, word=word)
            combinations = ((thing, word),)
            if more:
                review, combinations = f"{review} {end}", (*combinations, (word, end))
        case 2:
            review = f"{random.choice(OPENINGS).format(thing=thing, word=word)} {sentence}"
            combinations = ((thing, word), (word, sentence))
        case 3:
            review = f"{random.choice(TRIED).format(thing=thing)} {sentence} {end}"
            combinations = ((thing, sentence), (sentence, end))
        case _:
            review, combinations = f"{sentence} {end}", ((sentence, end),)
    example = Example(review, label, random.choice(PLAINLY).format(label))
    return Made(example, combinations, label, label)


def seen(random: Random) -> Task:
    """The base sees all of it."""

    def example(random: Random) -> Example:
        return draw(random, NAME, make).example

    return Task(NAME, example, REQUESTS, INSTRUCTIONS, FIELDS)


def rule(random: Random) -> str:
    """One of the instructions."""
    return random.choice(INSTRUCTIONS)


TASK = Specialty(NAME, "review", seen, make, rule, REQUESTS, share=0.18)
