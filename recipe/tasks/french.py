"""English phrases and their French: words that agree, articles that elide, in short sentences."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from ..split import Combination, Made, draw
from ..task import Example, Task
from .specialty import Specialty

NAME = "french"
REQUESTS = (
    "Translate into French: {}",
    "Translate to French: {}",
    "How do you say this in French? {}",
    "What is the French for: {}",
    "{} In French, please.",
    "French: {}",
)
INSTRUCTIONS = (
    "You translate English into French. Answer with the translation alone.",
    "Translate every message into French. Write nothing else.",
    "You are a translator. Give the French for what the user writes.",
    "Answer in French: say what the user says, word for word.",
    "Put the English text into French and add nothing.",
)
FIELDS = (("English", "French"), ("EN", "FR"), ("Text", "Translation"), ("Input", "Output"))
OPENLY = (
    'In French this is "{1}"',
    'In French one says "{1}"',
    '"{0}" is "{1}" in French.',
    'The French for "{0}" is "{1}"',
)
"""How the base answers who leaves the form open."""
VOWELS = "aeiouyâàéèêëîïôûœh"
"""What an article elides before; every h in the word list is silent."""


def _read(path: Path) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The tables of the file by their names, each a row per line."""
    tables = {}
    for block in path.read_text(encoding="utf-8").split("@ ")[1:]:
        head, *lines = block.strip().split("\n")
        tables[head.partition(" ")[0]] = tuple(tuple(line.split("|")) for line in lines)
    return tables


WORDS = _read(Path(__file__).with_suffix(".txt"))
GROUPS = {
    **{
        name: WORDS[name]
        for name in ("people", "animals", "things", "food", "reading", "openings", "sights")
    },
    "solid": tuple(
        it for it in WORDS["food"] if it[0] not in ("coffee", "tea", "water", "milk", "wine")
    ),
    "letters": tuple(it for it in WORDS["reading"] if it[0] != "newspaper"),
}
MASSES = ("bread", "cheese", "soup", "fish", "salad", "coffee", "tea", "water", "milk", "wine")
"""What English seldom puts `a` before."""
PERSONS = (("I", "je", 0), ("we", "nous", 2), ("you", "vous", 3), ("they", "ils", 4))
"""In English, in French, and which form of the verb; that of a noun, he or she is 1."""
SINGULAR = (("he", "il", "m"), ("she", "elle", "f"))
ADJECTIVE_SHARE = 0.35
ADJECTIVES = {
    **dict.fromkeys((*GROUPS["people"], *GROUPS["animals"]), ("moods",)),
    **dict.fromkeys(GROUPS["food"], ("tastes",)),
    **dict.fromkeys(GROUPS["things"], ("after", "before")),
}
"""The tables of adjectives that a noun takes; others have those that stand before the noun."""
ANIMAL_VERBS = ("sleep", "eat", "wait", "play", "run", "walk", "swim", "dream", "see", "find")


@dataclass(frozen=True)
class Phrase:
    """Words in English and in French. ``gender`` is that of a noun, ``form`` that of the verb that
    a subject takes; ``words`` are those that others are combined with, and ``combinations`` those
    within it, of an adjective and its noun."""

    english: str
    french: str
    gender: str = "m"
    form: int = 1
    words: str = ""
    combinations: tuple[Combination, ...] = ()


def elided(word: str, following: str) -> str:
    """The word before another one, joined to it: ``le``, ``la``, ``je`` and ``ne`` lose their vowel."""
    if following[0].lower() in VOWELS:
        return f"{word[:-1]}'{following}"
    return f"{word} {following}"


def determined(english: str, french: str, gender: str, article: str) -> tuple[str, str]:
    """A noun, with its adjective if it has one, behind ``the``, ``a``, ``my``, ``this`` or ``our``."""
    vowel = french[0].lower() in VOWELS
    feminine = gender == "f"
    if article == "the":
        return f"the {english}", elided("la" if feminine else "le", french)
    if article == "a":
        first = "an" if english[0] in "aeiou" else "a"
        return f"{first} {english}", f"{'une' if feminine else 'un'} {french}"
    if article == "my":
        return f"my {english}", f"{'ma' if feminine and not vowel else 'mon'} {french}"
    if article == "this":
        word = "cette" if feminine else "cet" if vowel else "ce"
        return f"this {english}", f"{word} {french}"
    return f"our {english}", f"notre {french}"


def noun(random: Random, groups: str, articles: tuple[str, ...], *, adjectives: bool) -> Phrase:
    """A noun of one of the groups with its article, now and then with an adjective."""
    english, french, gender = random.choice([it for name in groups.split() for it in GROUPS[name]])
    if english in MASSES:
        articles = tuple(it for it in articles if it != "a")
    if adjectives and random.random() < ADJECTIVE_SHARE:
        table = random.choice(ADJECTIVES.get((english, french, gender), ("before",)))
        adjective, *forms = random.choice(WORDS[table])
        if table == "before":
            vowel = french[0] in VOWELS
            french = f"{forms[2 if gender == 'f' else 1 if vowel else 0]} {french}"
        else:
            french = f"{french} {forms[gender == 'f']}"
        whole, combinations = f"{adjective} {english}", ((adjective, english),)
    else:
        whole, combinations = english, ()
    said = determined(whole, french, gender, random.choice(articles))
    return Phrase(*said, gender, words=whole, combinations=combinations)


def pronoun(random: Random) -> Phrase:
    """He, she, I, we, you or they."""
    if random.random() < 0.4:
        english, french, gender = random.choice(SINGULAR)
        return Phrase(english, french, gender, words=english)
    english, french, form = random.choice(PERSONS)
    return Phrase(english, french, form=form, words=english)


def subject(random: Random, articles: tuple[str, ...], *, pronouns: bool) -> Phrase:
    """Who does something: a person, an animal, or a pronoun."""
    if pronouns and random.random() < 0.35:
        return pronoun(random)
    return noun(random, "people people animals", articles, adjectives=pronouns)


def conjugated(verb: tuple[str, ...], who: Phrase, *, negated: bool) -> tuple[str, str]:
    """The subject with the verb in its form, denied or not, in English and in French."""
    base, third, *forms = verb
    french = forms[who.form]
    if not negated:
        english = f"{who.english} {third if who.form == 1 else base}"
        return english, _said(who, french)
    english = f"{who.english} {'does' if who.form == 1 else 'do'} not {base}"
    return english, _said(who, f"{elided('ne', french)} pas")


def _said(who: Phrase, verb: str) -> str:
    return elided("je", verb) if who.french == "je" else f"{who.french} {verb}"


def sentence(english: str, french: str, mark: str = ".") -> tuple[str, str]:
    """Both with a capital and their mark; French has a space before a question mark."""
    space = " " if mark in "?!" else ""
    return english[0].upper() + english[1:] + mark, french[0].upper() + french[1:] + space + mark


def plain_sentence(random: Random) -> Made:
    """What the base sees: fixed phrases, nouns, and sentences of three parts."""
    kind = random.randrange(5)
    if kind == 0:
        return _fixed(random)
    if kind == 1:
        it = noun(random, " ".join(GROUPS), ("the", "a"), adjectives=False)
        return _made("noun", it.english, it.french, ())
    who = subject(random, ("the", "my"), pronouns=False)
    return _action(random, who, ("the", "a"), adjectives=False, negated=False)


def any_sentence(random: Random) -> Made:
    """All kinds that the task has."""
    match random.randrange(12):
        case 0:
            return _fixed(random)
        case 1:
            it = noun(random, " ".join(GROUPS), ("the", "a", "my", "this"), adjectives=True)
            return _made("noun", it.english, it.french, it.combinations)
        case 2:
            return _request(random)
        case 3:
            return _question(random)
        case 4 | 5:
            return _state(random)
        case kind:
            who = subject(random, ("the", "a", "my", "this", "our"), pronouns=True)
            articles = ("the", "my", "this") if kind < 8 else ("the", "a", "my", "this")
            return _action(random, who, articles, adjectives=True, negated=kind < 8)


def _fixed(random: Random) -> Made:
    english, french = random.choice(WORDS["phrases"])
    return _made("phrase", english, french, ())


def _action(
    random: Random, who: Phrase, articles: tuple[str, ...], *, adjectives: bool, negated: bool
) -> Made:
    """Somebody does something, somewhere, or to something, or at some time."""
    animal = any(who.words.endswith(english) for english, *_ in GROUPS["animals"])
    acts, deeds = (
        [verb for verb in WORDS[name] if not animal or verb[0] in ANIMAL_VERBS]
        for name in ("acts", "deeds")
    )
    if random.random() < 0.45:
        verb = random.choice(acts)
        where = Phrase(*random.choice(WORDS["places"]))
        combinations = ((who.words, verb[0]), (verb[0], where.english))
    else:
        *verb, groups = random.choice(deeds)
        where = noun(random, groups, articles, adjectives=adjectives)
        combinations = ((who.words, verb[0]), (verb[0], where.words))
    english, french = conjugated(tuple(verb), who, negated=negated)
    english, french = f"{english} {where.english}", f"{french} {where.french}"
    combinations = (*combinations, *who.combinations, *where.combinations)
    if adjectives and random.random() < 0.25:
        when = random.choice(WORDS["times"])
        english, french = f"{english} {when[0]}", f"{french} {when[1]}"
    return _made("action", *sentence(english, french), combinations)


def _state(random: Random) -> Made:
    """Something looks or somebody feels some way."""
    if random.random() < 0.5:
        who = noun(random, "things", ("the", "my", "this"), adjectives=False)
        adjective = random.choice(WORDS["after"])
    else:
        who = noun(random, "people animals", ("the", "my", "our"), adjectives=False)
        if random.random() < 0.3:
            english, french, gender = random.choice(SINGULAR)
            who = Phrase(english, french, gender, words=english)
        adjective = random.choice((*WORDS["moods"], *WORDS["states"]))
    negated = random.random() < 0.3
    english = f"{who.english} is {'not ' if negated else ''}{adjective[0]}"
    how = adjective[2 if who.gender == "f" else 1]
    french = f"{who.french} {elided('ne', 'est') + ' pas' if negated else 'est'} {how}"
    return _made("state", *sentence(english, french), ((who.words, adjective[0]),))


def _request(random: Random) -> Made:
    """A polite wish."""
    what = noun(random, "things food reading", ("a", "the", "this"), adjectives=True)
    english, french = random.choice(
        (
            ("I would like {}, please.", "Je voudrais {}, s'il vous plaît."),
            ("We would like {}, please.", "Nous voudrions {}, s'il vous plaît."),
            ("Can I have {}, please?", "Puis-je avoir {}, s'il vous plaît ?"),
            ("Here is {}.", "Voici {}."),
        )
    )
    combinations = ((english, what.words), *what.combinations)
    return _made("request", english.format(what.english), french.format(what.french), combinations)


def _question(random: Random) -> Made:
    """Where something is, or who has it."""
    groups, articles, asked = random.choice(
        (
            ("sights people", ("the", "my"), ("Where is {}?", "Où est {} ?")),
            ("things reading", ("the", "my", "our"), ("Where is {}?", "Où est {} ?")),
            ("sights", ("the", "this"), ("Is {} far away?", "Est-ce que {} est loin ?")),
            ("sights things animals", ("the", "my"), ("Do you see {}?", "Voyez-vous {} ?")),
            ("things food reading", ("the", "my"), ("Who has {}?", "Qui a {} ?")),
        )
    )
    what = noun(random, groups, articles, adjectives=True)
    english, french = asked
    combinations = ((english, what.words), *what.combinations)
    return _made("question", english.format(what.english), french.format(what.french), combinations)


def _made(kind: str, english: str, french: str, combinations: tuple[Combination, ...]) -> Made:
    return Made(Example(english, french, french), combinations, french, kind)


def seen(random: Random) -> Task:
    """The base sees words, phrases, and sentences of three parts."""

    def example(random: Random) -> Example:
        it = draw(random, NAME, plain_sentence).example
        return replace(it, plainly=random.choice(OPENLY).format(it.asked, it.answer))

    return Task(NAME, example, REQUESTS, INSTRUCTIONS, FIELDS)


def rule(random: Random) -> str:
    """One of the instructions."""
    return random.choice(INSTRUCTIONS)


TASK = Specialty(NAME, "text", seen, any_sentence, rule, REQUESTS, share=0.4)
