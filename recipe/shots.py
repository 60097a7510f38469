"""Ways to put a task into a chat: asked plainly, told by an instruction, shown by examples."""

import json
from random import Random

from .chats import Chat, system, turn, worded
from .task import Example, Task

ROLES = ("", "", "You are a helpful assistant. ", "You are a careful assistant. ")


def plain(random: Random, task: Task) -> Chat:
    """A request that leaves the form open, and an answer in the base's own way."""
    example = task.draw(random)
    return turn(random.choice(task.requests).format(example.asked), example.plainly)


def told(random: Random, task: Task) -> Chat:
    """An instruction as the system message or around the input; sometimes several inputs follow."""
    rule = random.choice(task.instructions)
    example = task.draw(random)
    if random.random() < 0.55:
        chat = system(random.choice(ROLES) + rule)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            chat += answered(task.draw(random))
        return chat + answered(example)
    name = random.choice(task.fields)[0]
    text = random.choice(
        (
            f"{rule}\n\n{example.asked}",
            f"{rule}\n{example.asked}",
            f"{rule} {example.asked}",
            f"{rule.rstrip('.')}: {example.asked}",
            f"{example.asked}\n\n{rule}",
            f"{rule}\n\n{name}: {example.asked}",
        )
    )
    return turn(text, example.answer)


def shown(random: Random, task: Task) -> Chat:
    """Examples as turns of the chat, with an instruction or without."""
    chat = system(random.choice(task.instructions)) if hinted(random, task) else []
    for _ in range(random.randint(3, 6)):
        chat += answered(task.draw(random))
    return chat


def block(random: Random, task: Task) -> Chat:
    """Examples and the input in one message, in one of the usual formats."""
    asked, wanted = random.choice(task.fields)
    form, end = random.choice(
        (
            (f"{asked}: {{}}\n{wanted}: {{}}", "\n\n"),
            (f"{asked}: {{}}\n{wanted}: {{}}", "\n"),
            ("Input: {}\nOutput: {}", "\n\n"),
            ("Q: {}\nA: {}", "\n\n"),
            ("{} -> {}", "\n"),
            ("{} => {}", "\n"),
            ("- {}: {}", "\n"),
            (f"<{asked.lower()}>{{}}</{asked.lower()}>\n{{}}", "\n\n"),
        )
    )
    parts = [random.choice(task.instructions)] if hinted(random, task) else []
    if random.random() < 0.15:
        form, end = '{{"' + asked.lower() + '": {}, "' + wanted.lower() + '": {}}}', "\n"
        quote = json.dumps
    else:
        quote = str
    for _ in range(random.randint(2, 5)):
        example = task.draw(random)
        parts.append(form.format(quote(example.asked), quote(example.answer)))
    last = task.draw(random)
    opening = form.format(quote(last.asked), "\0").split("\0")[0].rstrip()
    return turn(end.join([*parts, opening]), last.answer)


def answered(example: Example) -> Chat:
    """The input and its answer as one turn."""
    return turn(example.asked, example.answer)


def hinted(random: Random, task: Task) -> bool:
    """Whether examples come with an instruction; without one they alone say what is wanted."""
    return bool(task.instructions) and random.random() < 0.6


def any_form(random: Random, task: Task) -> Chat:
    """The task in one of the four ways; by examples alone where it has no words to be asked with."""
    ways = (
        (plain, 0.3 if task.requests else 0.0),
        (told, 0.27 if task.instructions else 0.0),
        (shown, 0.25),
        (block, 0.18),
    )
    way = random.choices([way for way, _ in ways], [weight for _, weight in ways])[0]
    chat = way(random, task)
    if way is plain:
        chat[0]["content"] = worded(random, chat[0]["content"])
    return chat
