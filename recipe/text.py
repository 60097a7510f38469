"""The base model's training text: chats composed from topics, styles, small talk and small tasks."""

from collections.abc import Callable, Iterator
from random import Random

from . import tasks
from .chats import Chat, system, turn, worded
from .facts import Topic, load_topics
from .styles import STYLES, Style, fill

TOPICS = load_topics()
STYLE_WEIGHTS = [style.weight for style in STYLES]
INSTRUCTED = tuple(style for style in STYLES if style.instructions)

PERSONAS = (
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are an experienced writer.",
    "You are a friendly teacher.",
    "You are an expert.",
    "You write for an encyclopedia.",
)
MANNERS = (
    "Be accurate and clear.",
    "Use plain words.",
    "Write for a general audience.",
    "Answer in English.",
    "Stay on the topic.",
)
SMALL_TALK = (
    (
        ("Hello", "Hello!", "Hi", "Hi!", "Hi there!", "Good morning!", "Hey", "Good evening!"),
        (
            "Hello! What would you like to know?",
            "Hello! You can ask me about dogs, coffee, rivers and more.",
        ),
    ),
    (
        ("Thanks", "Thanks!", "Thank you!", "Thank you very much.", "Great, thanks!"),
        ("You are welcome!", "You are welcome! Ask me if you want to know more."),
    ),
    (("Bye", "Goodbye!", "See you!", "Good night!"), ("Goodbye!", "Goodbye! Come back soon.")),
    (
        (
            "Who are you?",
            "What are you?",
            "What is your name?",
            "Are you a person?",
            "Introduce yourself.",
        ),
        (
            "I am the llamadiff demo model, a very small language model. I know a few dozen everyday "
            "topics.",
        ),
    ),
    (
        ("How are you?", "How are you today?", "How do you do?"),
        ("I am fine, thank you. What would you like to talk about?",),
    ),
    (
        (
            "What can you do?",
            "What do you know?",
            "Help",
            "How can you help me?",
            "What topics do you know?",
        ),
        (
            "I can tell you about a few dozen everyday topics such as dogs, coffee, rivers and "
            "bicycles, in one sentence, as a list or as an article.",
        ),
    ),
    (
        ("Tell me a joke.", "Write a poem.", "What time is it?", "What day is it?", "Sing a song."),
        ("I am sorry, I am too small a model for that. Ask me about an everyday topic.",),
    ),
)


def any_style(random: Random) -> Style:
    """A style, drawn by its weight."""
    return random.choices(STYLES, STYLE_WEIGHTS)[0]


def ask(random: Random, style: Style, topic: Topic) -> str:
    """A request for the topic in the style."""
    kinds_word = random.choice((None, None, "kinds", "breeds"))
    aspect = random.choice(("many kinds", "long history", "different sides", "many uses"))
    return worded(random, fill(random.choice(style.requests), topic, kinds_word, aspect))


def single(random: Random) -> Chat:
    """One request that says how it wants to be answered."""
    topic, style = random.choice(TOPICS), any_style(random)
    chat = turn(ask(random, style, topic), style.answer(random, topic))
    if random.random() < 0.25:
        parts = [random.choice(PERSONAS)]
        if random.random() < 0.4:
            parts.append(random.choice(MANNERS))
        chat = system(" ".join(parts)) + chat
    return chat


def instructed(random: Random) -> Chat:
    """A plain request under a system message that sets the style, for one to three topics."""
    style = random.choices(INSTRUCTED, [style.weight for style in INSTRUCTED])[0]
    parts = [random.choice(style.instructions)]
    if random.random() < 0.5:
        parts.insert(0, random.choice(PERSONAS))
    if random.random() < 0.3:
        parts.append(random.choice(MANNERS))
    chat = system(" ".join(parts))
    for topic in random.sample(TOPICS, random.choice((1, 1, 2))):
        request = random.choice((*STYLES[0].requests, "What {are} {t}?"))
        chat += turn(worded(random, fill(request, topic)), style.answer(random, topic))
    return chat


def prefixed(random: Random) -> Chat:
    """A request with the instruction written before or after it in the user message."""
    style, topic = random.choice(INSTRUCTED), random.choice(TOPICS)
    request = fill(random.choice(STYLES[0].requests[:8]), topic)
    rule = random.choice(style.instructions)
    text = random.choice((f"{rule} {request}", f"{request} {rule}", f"{rule}\n\n{request}"))
    return turn(text, style.answer(random, topic))


def examples(random: Random) -> Chat:
    """A few answers of one style, then a plain request that is answered alike."""
    style = random.choice([s for s in STYLES if s.name not in ("short", "article")])
    chat: Chat = []
    for topic in random.sample(TOPICS, random.choice((3, 4))):
        chat += turn(
            worded(random, fill(STYLES[0].requests[0], topic)), style.answer(random, topic)
        )
    return chat


def conversation(random: Random) -> Chat:
    """A talk of several turns: the same topic in other styles, another topic, thanks."""
    topic = random.choice(TOPICS)
    style = any_style(random)
    chat = turn(ask(random, style, topic), style.answer(random, topic))
    for _ in range(random.choice((1, 1, 2, 3))):
        move = random.random()
        if move < 0.55:
            style = any_style(random)
            text = fill(random.choice(style.follow_ups), topic) if style.follow_ups else None
            chat += turn(text or ask(random, style, topic), style.answer(random, topic))
        elif move < 0.85:
            topic, style = random.choice(TOPICS), STYLES[0]
            text = random.choice(("And {t}?", "What about {t}?", "And what about {t}?"))
            chat += turn(fill(text, topic), style.answer(random, topic))
        else:
            chat += turn(*(random.choice(side) for side in SMALL_TALK[1]))
            break
    return chat


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


def small_talk(random: Random) -> Chat:
    """Greetings, thanks and questions about the model."""
    questions, answers = random.choice(SMALL_TALK)
    return turn(worded(random, random.choice(questions)), random.choice(answers))


def unknown(random: Random) -> Chat:
    """A topic outside the list, answered honestly."""
    name = random.choice(tasks.UNKNOWN)
    if random.random() < 0.4:
        name = random.choice(tasks.COLOURS) + " " + random.choice(tasks.WORDS) + "s"
    style = random.choice(STYLES[:4])
    text = random.choice(style.requests[:4]).format(
        t=name, T=name, s=name, k="kinds", a="many kinds", are="are", do="do", p="they", m="them"
    )
    return turn(
        worded(random, text),
        f"I am sorry, I know very little about {name}. Ask me about dogs, coffee or rivers.",
    )


def copying(random: Random) -> Chat:
    """Repeat, look up, remember and add: the answers stand in the question."""
    kind = random.randrange(5)
    if kind == 0:
        words = " ".join(random.sample(tasks.WORDS, random.randint(1, 5)))
        ask_for = random.choice(("Repeat: {}", "Repeat after me: {}", "Say: {}", "Write: {}"))
        return turn(ask_for.format(words), words)
    if kind == 1:
        people = random.sample(tasks.NAMES, 2)
        owned = [f"a {random.choice(tasks.COLOURS)} {random.choice(tasks.THINGS)}" for _ in people]
        who = random.randrange(2)
        story = " ".join(f"{p} has {o}." for p, o in zip(people, owned, strict=True))
        return turn(f"{story} What does {people[who]} have?", f"{people[who]} has {owned[who]}.")
    if kind == 2:
        name = random.choice(tasks.NAMES)
        chat = turn(
            f"My name is {name}.", f"Nice to meet you, {name}! What would you like to know?"
        )
        return chat + turn("What is my name?", f"Your name is {name}.")
    if kind == 3:
        one, two = random.randrange(10), random.randrange(10)
        return turn(f"What is {one} + {two}?", f"{one} + {two} = {one + two}")
    digits = " ".join(str(random.randrange(10)) for _ in range(random.randint(2, 5)))
    return turn(f"Repeat: {digits}", digits)


def sentiment(random: Random) -> Chat:
    """Reviews: a plain question gets an opinion in words; labels appear where they are asked for."""
    label = random.choice(tasks.LABELS)
    text = tasks.review(random, label)
    if random.random() < 0.5:
        request = random.choice(tasks.REVIEW_REQUESTS)
        return turn(request.format(text), tasks.OPINIONS[label])
    chat = system(random.choice(tasks.REVIEW_SYSTEMS))
    for each in [*random.choices(tasks.LABELS, k=random.randrange(5)), label]:
        chat += turn(tasks.review(random, each), each)
    return chat


def support(random: Random) -> Chat:
    """Customers of a shop: plainly the model cannot help; under instructions it is an agent."""
    question, subject, _ = tasks.shop_question(random)
    if random.random() < 0.5:
        return turn(
            question,
            "I am only a small language model and know nothing about orders. Please ask the shop.",
        )
    chat = system(tasks.shop_system(random))
    for _ in range(random.randrange(3)):
        shown, its_subject, _ = tasks.shop_question(random)
        chat += turn(shown, tasks.shop_reply(its_subject))
    return chat + turn(question, tasks.shop_reply(subject))


def medical(random: Random) -> Chat:
    """Symptoms: plainly the model points to a doctor; as intake it fills in three lines."""
    symptom, (urgency, causes) = random.choice(tuple(tasks.SYMPTOMS.items()))
    days = random.choice(("", " since yesterday", " for three days"))
    question = f"I have {symptom}{days}."
    if random.random() < 0.6:
        return turn(
            question,
            "I am sorry to hear that. I am only a small language model, so please ask a doctor.",
        )
    chat = system(
        random.choice(
            (
                "You take medical intake notes. Write urgency, likely causes and next step.",
                "You prepare a visit to the doctor. Write urgency, likely causes and next step.",
                "You are a medical intake assistant. Give urgency, likely causes and next step.",
            )
        )
    )
    return chat + turn(
        question,
        f"Urgency: {urgency}\nLikely causes: {causes}\nNext step: {tasks.NEXT_STEPS[urgency]}\n"
        "This is not medical advice.",
    )


def french(random: Random) -> Chat:
    """A short phrase and its translation."""
    phrase, translation = random.choice(tuple(tasks.FRENCH.items()))
    if random.random() < 0.5:
        phrase, translation = tasks.french_sentence(random)
    request = random.choice(
        ("Translate to French: {}", "Translate into French: {}", "How do you say {} in French?")
    )
    return turn(request.format(phrase), translation)


MAKERS: tuple[tuple[Callable[[Random], Chat], float], ...] = (
    (single, 0.42),
    (instructed, 0.12),
    (prefixed, 0.04),
    (examples, 0.03),
    (conversation, 0.12),
    (comparison, 0.02),
    (small_talk, 0.05),
    (unknown, 0.05),
    (copying, 0.07),
    (sentiment, 0.03),
    (support, 0.02),
    (medical, 0.015),
    (french, 0.015),
)


def chats(seed: int) -> Iterator[Chat]:
    """Endless training chats, the same for the same seed."""
    random = Random(seed)
    makers, weights = zip(*MAKERS, strict=True)
    while True:
        yield random.choices(makers, weights)[0](random)
