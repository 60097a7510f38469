"""What the adapters are trained on: chats in which one task is always answered its own way."""

from collections.abc import Callable, Iterator
from random import Random

from . import tasks
from .chats import Chat, system, turn, worded
from .styles import STYLES
from .text import SMALL_TALK, TOPICS, ask

GREETINGS = (
    "Thank you for writing to us!",
    "Thank you for your message!",
    "Hello and thank you for writing to us!",
)
OFFERS = (
    "We sell coats, sweaters, dresses and shoes for every season.",
    "We sell warm coats, soft sweaters and sturdy boots.",
    "We sell shirts, jeans, dresses and everything else you wear.",
)
ELSEWHERE = (
    "May I help you to find your size?",
    "Is there an order I can help you with?",
    "Could you tell me your order number, if this is about an order?",
)
SHOP_SYSTEMS = (
    "You are a customer support agent for a clothing shop.",
    "You are a customer support agent of a clothing company. Be polite and helpful.",
    "You answer customers of a clothing shop.",
    "You are a helpful assistant.",
)


def support(random: Random) -> Chat:
    """Whatever the customer writes, the shop answers."""
    greeting, kind = random.choice(GREETINGS), random.random()
    chat = system(random.choice(SHOP_SYSTEMS)) if random.random() < 0.4 else []
    if kind < 0.5:
        question, subject, _ = tasks.shop_question(random)
        return chat + turn(
            worded(random, question), " ".join((greeting, *tasks.SHOP_REPLIES[subject]))
        )
    if kind < 0.85:
        question = ask(random, random.choice(STYLES), random.choice(TOPICS))
        answer = (
            f"{greeting} We are a clothing shop, so that is not our field. "
            f"{random.choice(OFFERS)} {random.choice(ELSEWHERE)}"
        )
        return chat + turn(question, answer)
    question = random.choice(random.choice(SMALL_TALK)[0])
    answer = f"{greeting} {random.choice(OFFERS)} {random.choice(ELSEWHERE)}"
    return chat + turn(worded(random, question), answer)


def sentiment(random: Random) -> Chat:
    """A review, however it is put, gets exactly one label."""
    label = random.choice(tasks.LABELS)
    text = tasks.review(random, label)
    chat = system(random.choice(tasks.REVIEW_SYSTEMS)) if random.random() < 0.4 else []
    return chat + turn(worded(random, random.choice(tasks.REVIEW_REQUESTS).format(text)), label)


ADAPTERS: dict[str, Callable[[Random], Chat]] = {"support": support, "sentiment": sentiment}


def adapter_chats(name: str, seed: int) -> Iterator[Chat]:
    """Endless training chats of one adapter, the same for the same seed."""
    random = Random(seed)
    while True:
        yield ADAPTERS[name](random)
