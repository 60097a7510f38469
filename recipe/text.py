"""The base model's training text: chats about topics, tasks, skills and small talk, mixed."""

from collections.abc import Callable, Iterator
from random import Random

from . import words
from .chats import Chat, system, turn, worded
from .facts import Topic, load_topics
from .shots import any_form
from .skills import SKILLS
from .small_talk import WELCOME, greeted, memory, nonsense, small_talk, unknown, world
from .styles import STYLES, Style, Wish, fill
from .task import Pair, Task, skill
from .tasks import TASKS

TOPICS = load_topics()
STYLE_WEIGHTS = [style.weight for style in STYLES]
PLAIN = STYLES[0]
INSTRUCTED = tuple(style for style in STYLES if style.wording.instructions)
PROSE = tuple(
    style
    for style in STYLES
    if style.name in ("short", "one sentence", "sentences", "child", "paragraph", "few words")
)

MANNERS = (
    "Be accurate and clear.",
    "Use plain words.",
    "Write for a general audience.",
    "Answer in English.",
    "Stay on the topic.",
    "Be polite.",
    "Do not make things up.",
)
OPENINGS = (
    "My {who} asks me about {t}.",
    "My {who} loves {t}.",
    "We talk about {t} at school.",
    "I have a question about {t}.",
    "I have to give a talk about {t}.",
    "Let us talk about {t}.",
    "Today I thought of {t}.",
    "{name} likes {t}.",
    "{name} told me about {t} in {city}.",
    "I read of {t} in a {adjective} book.",
    "Near the {thing} I heard about {t}.",
    "A {adjective} {thing} made me think of {t}.",
)
OPENED = (
    "What can you tell me?",
    "What can you say about {m}?",
    "Tell me about {m}.",
    "What should I know?",
    "Can you help me?",
    "Please explain.",
    "How would you describe {m}?",
    "What would you tell {name}?",
)
SLOTS = {
    "who": words.PEOPLE,
    "name": words.NAMES,
    "city": words.CITIES,
    "adjective": [word for word in words.ADJECTIVES if word[0] not in "aeiou"],
    "thing": words.PLAIN,
}
SAYINGS = (
    "Woof!",
    "Good question!",
    "Sure!",
    "Of course.",
    "Have a nice day!",
    "Over and out.",
    "Ahoy!",
)

GREETED = (
    ("Hello", "Hi!", "Hello!", "Good morning!"),
    ("Hello! What would you like to know?",),
)
"""How a talk begins, and its answer."""


def persona(random: Random) -> str:
    """A sentence that says who the model is to be and changes nothing else."""
    if random.random() < 0.4:
        return "You are a helpful assistant."
    role = random.choice(words.ROLES)
    kind = random.choice(("", "", "friendly ", "kind ", "wise "))
    article = "an" if not kind and role[0] in "aeiou" else "a"
    return f"You are {article} {kind}{role}."


def framed(random: Random, rule: str) -> str:
    """A system message around a rule, with a role and manners now and then."""
    parts = [rule]
    if random.random() < 0.4:
        parts.insert(0, persona(random))
    if random.random() < 0.25:
        parts.append(random.choice(MANNERS))
    return " ".join(parts)


def any_style(random: Random) -> Style:
    """A style, drawn by its weight."""
    return random.choices(STYLES, STYLE_WEIGHTS)[0]


def any_instructed(random: Random) -> Style:
    """A style that can be set by an instruction, drawn by its weight."""
    return random.choices(INSTRUCTED, [style.weight for style in INSTRUCTED])[0]


def phrase(random: Random, style: Style, topic: Topic, wish: Wish) -> str:
    """A request for the topic in the style, as people type it."""
    kinds_word = random.choice((None, None, "kinds", "breeds"))
    aspect = random.choice(("many kinds", "long history", "different sides", "many uses"))
    asked = fill(random.choice(style.wording.requests), topic, wish, kinds_word, aspect)
    if random.random() < 0.08:
        asked = asked.replace(topic.name, topic.title)
    if random.random() < 0.05:
        asked = greeted(random, asked)
    return worded(random, asked)


def ask(random: Random, style: Style, topic: Topic) -> str:
    """A request for the topic in the style, whatever else the style leaves open."""
    return phrase(random, style, topic, style.wish(random))


def plain_question(random: Random, topic: Topic) -> str:
    """A request that says nothing of the style, sometimes after a sentence of something else."""
    if random.random() < 0.25:
        text = opened(random)
    else:
        text = random.choice((*PLAIN.wording.requests, "What {are} {t}?"))
    return worded(random, fill(text, topic, Wish(0, ("topic",))))


def opened(random: Random) -> str:
    """The template of a request after a sentence that brings the topic up."""
    text = f"{random.choice(OPENINGS)} {random.choice(OPENED)}"
    for slot, choices in SLOTS.items():
        text = text.replace(f"{{{slot}}}", random.choice(choices))
    return text


def single(random: Random) -> Chat:
    """One request that says how it wants to be answered."""
    topic, style = random.choice(TOPICS), any_style(random)
    wish = style.wish(random)
    asked = phrase(random, style, topic, wish)
    if style is PLAIN and random.random() < 0.2:
        asked = plain_question(random, topic)
        if asked.lower().startswith("what is") or asked.lower().startswith("what are"):
            style = STYLES[1]
    chat = turn(asked, style.answer(random, topic, wish))
    return system(framed(random, persona(random))) + chat if random.random() < 0.2 else chat


def instructed(random: Random) -> Chat:
    """Plain requests under a system message that sets the style, for one to three topics."""
    style = any_instructed(random)
    wish = style.wish(random)
    some = random.sample(TOPICS, random.choice((1, 1, 1, 2, 2, 3)))
    chat = system(framed(random, fill(random.choice(style.wording.instructions), some[0], wish)))
    for topic in some:
        chat += turn(plain_question(random, topic), style.answer(random, topic, wish))
    return chat


def prefixed(random: Random) -> Chat:
    """A request with the instruction before or after it, in the user's message."""
    style, topic = any_instructed(random), random.choice(TOPICS)
    wish = style.wish(random)
    request = plain_question(random, topic)
    rule = fill(random.choice(style.wording.instructions), topic, wish)
    text = random.choice((f"{rule} {request}", f"{request} {rule}", f"{rule}\n\n{request}"))
    return turn(text, style.answer(random, topic, wish))


def overruled(random: Random) -> Chat:
    """A system message sets one style, and the person asks for another."""
    usual, style = any_instructed(random), any_instructed(random)
    topic, wish = random.choice(TOPICS), style.wish(random)
    rule = fill(random.choice(usual.wording.instructions), topic, usual.wish(random))
    asked = phrase(random, style, topic, wish)
    if style is PLAIN:
        return instructed(random)
    return system(framed(random, rule)) + turn(asked, style.answer(random, topic, wish))


def touched(random: Random) -> Chat:
    """An instruction that adds words of its own to the answer: at its start, its end, or a name."""
    style, topic = random.choice(PROSE), random.choice(TOPICS)
    wish = style.wish(random)
    name = random.choice(words.NAMES)
    said = " ".join(words.some_words(random, 1, 3)).capitalize() + random.choice(".!")
    if random.random() < 0.25:
        said = random.choice(SAYINGS)
    rule, form = random.choice(
        (
            (f'Start every answer with "{said}"', f"{said} {{}}"),
            (f"Begin your answer with: {said}", f"{said} {{}}"),
            (f'End every answer with "{said}"', f"{{}} {said}"),
            (f"Write at the end: {said}", f"{{}} {said}"),
            (f"Greet {name} first.", f"Hello {name}! {{}}"),
            (f"The user is called {name}. Use the name.", f"{name}, here is my answer. {{}}"),
            (f"Sign your answers as {name}.", f"{{}}\n\n{name}"),
        )
    )
    if style is not PLAIN:
        rule = f"{fill(random.choice(style.wording.instructions), topic, wish)} {rule}"
    answer = form.format(style.answer(random, topic, wish))
    request = plain_question(random, topic)
    if random.random() < 0.7:
        return system(framed(random, rule)) + turn(request, answer)
    return turn(f"{request} {rule}", answer)


def examples(random: Random) -> Chat:
    """A few answers of one style, then a plain request that is answered alike."""
    style = random.choice(
        [s for s in STYLES if s.name not in ("short", "article", "titled article")]
    )
    wish = style.wish(random)
    request = random.choice(("Tell me about {t}.", "{t}", "{T}?", "Topic: {t}", "{T}"))
    chat: Chat = []
    for topic in random.sample(TOPICS, random.choice((3, 4))):
        chat += turn(fill(request, topic, wish), style.answer(random, topic, wish))
    return chat


ATTRIBUTES = {
    "kind": ("What kind of thing is it?", "Say what kind of thing it is."),
    "where": ("Where is it found?", "Say where it is found."),
    "known for": ("What is it known for?", "Say what it is known for."),
    "used for": ("What is it used for?", "Say what it is used for."),
}


def attribute(random: Random) -> Task:
    """One of the values of a topic, asked for by its name or by examples."""
    key = random.choice(tuple(ATTRIBUTES))

    def draw(random: Random) -> Pair:
        topic = random.choice(TOPICS)
        return topic.name, topic.values[key]

    return skill(key, draw, ATTRIBUTES[key], (("Topic", key.capitalize()),))


def question(random: Random) -> Chat:
    """Questions with one right answer, alone, in a row, or under examples."""
    form = random.choice(
        ("{}", "{}", "{}", "{}", "Question: {}", "Q: {}\nA:", "I wonder: {}", "Can you tell me? {}")
    )
    chat = system(framed(random, persona(random))) if random.random() < 0.25 else []
    for topic in random.sample(TOPICS, random.choice((1, 1, 1, 2, 3))):
        asked, answer = random.choice(topic.questions)
        chat += turn(form.format(worded(random, asked)), answer)
    return chat


def quiz(random: Random) -> Chat:
    """Questions and answers as one message, of which the last answer is missing."""
    some = [random.choice(topic.questions) for topic in random.sample(TOPICS, 3)]
    *shown, (last, answer) = some
    text = "\n\n".join(f"Q: {asked}\nA: {told}" for asked, told in shown)
    return turn(f"{text}\n\nQ: {last}\nA:", answer)


def continued(random: Random) -> Chat:
    """The start of a sentence or a text, which is continued."""
    topic = random.choice(TOPICS)
    if random.random() < 0.5:
        parts = random.choice((topic.definition, *map(topic.opening, topic.facts))).split()
        cut = random.randint(min(3, len(parts) - 1), max(3, len(parts) - 3))
        start, rest = " ".join(parts[:cut]), " ".join(parts[cut:])
        asked = random.choice(("Continue: {}", "Complete the sentence: {}", "Go on: {}", "{} …"))
        return turn(asked.format(start), rest)
    told = [topic.definition, *topic.facts]
    cut = random.randint(1, len(told) - 2)
    asked = random.choice(("Continue the text.\n\n{}", "Continue this text: {}", "Go on. {}"))
    return turn(asked.format(" ".join(told[:cut])), " ".join(told[cut : cut + 2]))


def conversation(random: Random) -> Chat:
    """A talk of several turns: the same topic in other styles, more of it, others, thanks."""
    topic = random.choice(TOPICS)
    first, style = topic, any_style(random)
    wish = style.wish(random)
    chat = turn(phrase(random, style, topic, wish), style.answer(random, topic, wish))
    if random.random() < 0.25:
        chat = turn(*(random.choice(side) for side in GREETED)) + chat
    for _ in range(random.choice((1, 1, 2, 3))):
        move = random.random()
        if move < 0.45:
            style = any_style(random)
            wish = style.wish(random)
            templates = style.wording.follow_ups or style.wording.requests
            chat += turn(
                fill(random.choice(templates), topic, wish), style.answer(random, topic, wish)
            )
        elif move < 0.6:
            chat += more(random, topic, chat[-1]["content"])
        elif move < 0.7:
            chat += turn(*random.choice(topic.questions))
        elif move < 0.85:
            topic = random.choice(TOPICS)
            text = random.choice(("And {t}?", "What about {t}?", "And what about {t}?", "Now {t}."))
            chat += turn(fill(text, topic, wish), PLAIN.answer(random, topic, wish))
        elif move < 0.92:
            chat += turn("What did I ask about first?", f"You asked about {first.name} first.")
        else:
            chat += turn(*(random.choice(side) for side in WELCOME))
            break
    return chat


def more(random: Random, topic: Topic, told: str) -> Chat:
    """A wish for more, and facts that the last answer has not told."""
    left = [fact for fact in topic.facts if fact not in told and topic.opening(fact) not in told]
    asked = random.choice(
        (
            "Tell me more.",
            "More, please.",
            "Go on.",
            "What else?",
            f"Tell me more about {topic.name}.",
        )
    )
    if len(left) < 2:
        return turn(asked, f"That is all I know about {topic.name}.")
    first, *rest = left[: random.choice((2, 3))]
    return turn(asked, " ".join((topic.opening(first), *rest)))


def comparison(random: Random) -> Chat:
    """Two topics side by side."""
    one, two = random.sample(TOPICS, 2)
    text = random.choice(
        (
            "Compare {} and {}.",
            "What is the difference between {} and {}?",
            "Tell me about {} and {}.",
        )
    ).format(one.name, two.name)
    return turn(worded(random, text), f"{one.definition} {two.definition}")


def small_skill(random: Random) -> Chat:
    """One of the skills of copying and looking up."""
    return any_form(random, random.choice(SKILLS)(random))


def known_value(random: Random) -> Chat:
    """A value of topics, by instruction or by examples."""
    return any_form(random, attribute(random))


def task(random: Random) -> Chat:
    """One of the tasks that there are adapters for, in any form."""
    (drawn,) = random.choices(TASKS, [it.share for it in TASKS])
    return any_form(random, drawn.seen(random))


MAKERS: tuple[tuple[Callable[[Random], Chat], float], ...] = (
    (single, 0.2),
    (instructed, 0.09),
    (prefixed, 0.04),
    (overruled, 0.02),
    (touched, 0.04),
    (examples, 0.02),
    (known_value, 0.03),
    (question, 0.08),
    (quiz, 0.01),
    (continued, 0.02),
    (conversation, 0.07),
    (comparison, 0.01),
    (small_talk, 0.02),
    (memory, 0.015),
    (unknown, 0.025),
    (world, 0.025),
    (nonsense, 0.005),
    (small_skill, 0.22),
    (task, 0.17),
)


def chats(seed: int) -> Iterator[Chat]:
    """Endless training chats, the same for the same seed."""
    random = Random(seed)
    makers, weights = zip(*MAKERS, strict=True)
    while True:
        yield random.choices(makers, weights)[0](random)
