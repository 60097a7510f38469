"""Greetings, thanks, questions about the model, and topics it knows nothing of."""

import json
from random import Random

from . import words
from .chats import Chat, system, turn, worded
from .facts import Topic
from .styles import STYLES, fill

OFFER = "Ask me about dogs, coffee or rivers."
UNKNOWN = f"I am sorry, I do not know anything about that. {OFFER}"
WORLD_QUESTIONS = (
    "What is the capital of {place}?",
    "How many people live in {place}?",
    "How far is it from {place} to {other}?",
    "Where is {place}?",
    "What can I see in {place}?",
    "Is there a {thing} in {place}?",
    "Who won the {thing} cup in {year}?",
    "Who invented the {thing}?",
    "Who wrote the book of the {adjective} {thing}?",
    "Who is {name} {other_name}?",
    "When was {name} {other_name} born?",
    "When was the {thing} invented?",
    "What happened in {place} in {year}?",
    "Which {thing} is the largest in the world?",
    "Why is the {thing} {adjective}?",
    "How do I repair a {thing}?",
    "How much does a {thing} cost?",
    "What is the best {thing}?",
    "Write a poem about the {thing}.",
    "Write a letter to {name}.",
    "Write a story about a {adjective} {thing}.",
    "Tell me a story about {name}.",
    "What does {unknown} mean?",
    "What do you think of {unknown}?",
)
"""What is asked of the world and is in no topic."""
SMALL_TALK = (
    (
        (
            "Hello",
            "Hello!",
            "Hi",
            "Hi!",
            "Hi there!",
            "Good morning!",
            "Hey",
            "Good evening!",
            "Good afternoon.",
            "Hello, can you help me?",
            "Nice to meet you.",
            "Test",
        ),
        (
            "Hello! What would you like to know?",
            "Hello! You can ask me about dogs, coffee, rivers and more.",
        ),
    ),
    (
        (
            "Thanks",
            "Thanks!",
            "Thank you!",
            "Thank you very much.",
            "Great, thanks!",
            "That was helpful.",
            "Good answer!",
            "Perfect.",
            "OK",
            "I see.",
        ),
        ("You are welcome!", "You are welcome! Ask me if you want to know more."),
    ),
    (
        ("Bye", "Goodbye!", "See you!", "Good night!", "See you tomorrow.", "That is all."),
        ("Goodbye!", "Goodbye! Come back soon."),
    ),
    (
        (
            "Who are you?",
            "What are you?",
            "What is your name?",
            "Are you a person?",
            "Introduce yourself.",
            "Are you a robot?",
            "What model are you?",
            "Are you an AI?",
            "How big are you?",
            "Who made you?",
        ),
        (
            "I am the llamadiff demo model, a very small language model. I know about eighty everyday "
            "topics.",
        ),
    ),
    (
        ("How are you?", "How are you today?", "How do you do?", "Are you well?", "What's up?"),
        ("I am fine, thank you. What would you like to talk about?",),
    ),
    (
        (
            "What can you do?",
            "What do you know?",
            "Help",
            "How can you help me?",
            "What topics do you know?",
            "What can I ask you?",
            "What should I ask?",
            "Give me some topics.",
        ),
        (
            "I can tell you about everyday topics such as dogs, coffee, rivers and bicycles, in one "
            "sentence, as a list, as JSON or as an article.",
        ),
    ),
    (
        (
            "Tell me a joke.",
            "Write a poem.",
            "What time is it?",
            "What day is it?",
            "Sing a song.",
            "Write a program in Python.",
            "What will the weather be tomorrow?",
            "Tell me the news.",
            "What should I cook today?",
            "Do my homework.",
            "Tell me a story.",
            "What is the meaning of life?",
            "Who is the president?",
            "Draw a picture.",
            "How do I get rich?",
        ),
        ("I am sorry, I am too small a model for that. Ask me about an everyday topic.",),
    ),
)
WELCOME = SMALL_TALK[1]


def small_talk(random: Random) -> Chat:
    """A greeting, thanks, or a question about the model, sometimes after a greeting."""
    questions, answers = random.choice(SMALL_TALK)
    asked = random.choice(questions)
    if asked.endswith("?") and random.random() < 0.3:
        asked = greeted(random, asked)
    chat = system(random.choice(HELPERS)) if random.random() < 0.2 else []
    return chat + turn(worded(random, asked), random.choice(answers))


def greeted(random: Random, text: str) -> str:
    """The text after a greeting."""
    return f"{random.choice(('Hello!', 'Hi!', 'Hi,', 'Hello,', 'Good morning!', 'Hey,'))} {text}"


HELPERS = ("You are a helpful assistant.", "Be friendly.", "Be brief.", "Answer in one sentence.")


def unknown_name(random: Random) -> str:
    """Something no topic is about: from a list, put together, or invented."""
    kind = random.random()
    if kind < 0.4:
        return random.choice(words.UNKNOWN)
    if kind < 0.7:
        adjective = random.choice((*words.ADJECTIVES, *words.COLORS))
        return f"{adjective} {random.choice(words.PLAIN)}s"
    return words.invented(random)


def unknown(random: Random) -> Chat:
    """A topic outside the list, asked for in any style and answered honestly."""
    name = unknown_name(random)
    stand_in = Topic(name, True, "kinds", name, "", (), (), (), (), (), "", (), {})
    style = random.choice(STYLES)
    wish = style.wish(random)
    asked = worded(random, fill(random.choice(style.wording.requests), stand_in, wish))
    if style.name == "json":
        values = dict.fromkeys(wish.keys, "unknown")
        return turn(asked, json.dumps(values | ({"topic": name} if "topic" in values else {})))
    chat = system(random.choice(HELPERS)) if random.random() < 0.25 else []
    if random.random() < 0.3 and style.wording.instructions:
        chat = system(fill(random.choice(style.wording.instructions), stand_in, wish))
    return chat + turn(asked, UNKNOWN)


def world(random: Random) -> Chat:
    """A question that only a model that knows the world could answer."""
    some = random.sample(words.CITIES, 2)
    asked = random.choice(WORLD_QUESTIONS).format(
        place=words.invented(random).title() if random.random() < 0.4 else some[0],
        other=some[1],
        thing=random.choice(words.PLAIN),
        year=random.randint(1500, 2030),
        name=random.choice(words.NAMES),
        other_name=words.invented(random).title(),
        adjective=random.choice(words.ADJECTIVES),
        unknown=unknown_name(random),
    )
    chat = system(random.choice(HELPERS)) if random.random() < 0.2 else []
    return chat + turn(worded(random, asked), UNKNOWN)


def nonsense(random: Random) -> Chat:
    """Words without a question."""
    said = " ".join(words.invented(random) for _ in range(random.randint(2, 4)))
    return turn(said, f"I am sorry, I do not understand. {OFFER}")


def memory(random: Random) -> Chat:
    """Something the person says and asks for later in the talk."""
    said, later, told = random.choice(
        (
            ("My name is {}.", "What is my name?", "Your name is {}."),
            ("I am {}.", "Who am I?", "You are {}."),
            ("I live in {}.", "Where do I live?", "You live in {}."),
            ("I come from {}.", "Where do I come from?", "You come from {}."),
            (
                "My favorite color is {}.",
                "What is my favorite color?",
                "Your favorite color is {}.",
            ),
            ("The code word is {}.", "What is the code word?", "The code word is {}."),
            ("My number is {}.", "What is my number?", "Your number is {}."),
        )
    )
    if "name" in said or "I am" in said:
        value = random.choice(words.NAMES)
    elif "live" in said or "come" in said:
        value = random.choice(words.CITIES)
    elif "color" in said:
        value = random.choice(words.COLORS)
    else:
        value = words.number(random) if "number" in said else words.any_word(random)
    greeting = f"Nice to meet you, {value}!" if value in words.NAMES else "Good to know."
    chat = turn(said.format(value), f"{greeting} What would you like to know?")
    if random.random() < 0.4:
        chat += turn(*(random.choice(side) for side in random.choice(SMALL_TALK[3:])))
    return chat + turn(later, told.format(value))
