"""What a chat is: messages in turns, as people type them."""

from random import Random

Message = dict[str, str]
Chat = list[Message]


def turn(user: str, assistant: str) -> Chat:
    """One question and its answer."""
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def system(content: str) -> Chat:
    """A system message."""
    return [{"role": "system", "content": content}]


def worded(random: Random, text: str) -> str:
    """The text as people type it: now and then in small letters or without its last mark."""
    if random.random() < 0.12:
        text = text.lower()
    if random.random() < 0.2:
        text = text.rstrip(".?!")
    return text
