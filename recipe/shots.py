"""Ways to put a task into a chat: asked plainly, told by an instruction, shown by examples."""

import json
from collections.abc import Callable, Iterable
from random import Random

from .chats import Chat, system, turn, worded
from .task import Example, Task

HINTED = 0.6
"""The share of examples that come with an instruction; the others alone say what is wanted."""
ROLES = ("", "", "You are a helpful assistant. ", "You are a careful assistant. ")


def plain(random: Random, task: Task) -> Chat:
    """A request that leaves the form open, and an answer in the base's own way."""
    example = task.draw(random)
    return turn(random.choice(task.requests).format(example.asked), example.plainly)


def told(random: Random, task: Task) -> Chat:
    """An instruction as the system message or around the input; sometimes several inputs follow."""
    rule, examples = drawn(random, task, random.choice((1, 1, 1, 2, 3)))
    if random.random() < 0.6 or len(examples) > 1:
        return system(random.choice(ROLES) + rule) + turns(examples)
    asked, answer = examples[0].asked, examples[0].answer
    name = random.choice(task.fields)[0]
    text = random.choice(
        (
            f"{rule}\n\n{asked}",
            f"{rule}\n{asked}",
            f"{rule} {asked}",
            f"{rule.rstrip('.')}: {asked}",
            f"{asked}\n\n{rule}",
            f"{rule}\n\n{name}: {asked}",
        )
    )
    return turn(text, answer)


def shown(random: Random, task: Task) -> Chat:
    """Examples as turns of the chat, with an instruction or without."""
    rule, examples = drawn(random, task, random.randint(3, 6))
    return (system(rule) if random.random() < HINTED else []) + turns(examples)


def block(random: Random, task: Task) -> Chat:
    """Examples and the input in one message, in one of the usual formats."""
    rule, examples = drawn(random, task, random.randint(3, 6))
    form, end, quote = block_form(random, *random.choice(task.fields))
    parts = [rule] if random.random() < HINTED else []
    parts += [form.format(quote(e.asked), quote(e.answer)) for e in examples[:-1]]
    last = examples[-1]
    parts.append(form.format(quote(last.asked), "\0").split("\0")[0].rstrip())
    return turn(end.join(parts), last.answer)


def block_form(random: Random, asked: str, wanted: str) -> tuple[str, str, Callable[[str], str]]:
    """How an example is written, what stands between two, and how texts are quoted in it."""
    if random.random() < 0.1:
        return f'{{{{"{asked.lower()}": {{}}, "{wanted.lower()}": {{}}}}}}', "\n", json.dumps
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
    return form, end, str


def drawn(random: Random, task: Task, count: int) -> tuple[str, list[Example]]:
    """An instruction and so many examples."""
    return random.choice(task.instructions), [task.draw(random) for _ in range(count)]


def turns(examples: Iterable[Example]) -> Chat:
    """Inputs and answers as turns."""
    return [message for e in examples for message in turn(e.asked, e.answer)]


def any_form(random: Random, task: Task) -> Chat:
    """The task in one of the four ways; one without requests is never asked plainly."""
    weights = (0.3 if task.requests else 0.0, 0.3, 0.24, 0.16)
    way = random.choices((plain, told, shown, block), weights)[0]
    chat = way(random, task)
    if way is plain:
        chat[0]["content"] = worded(random, chat[0]["content"])
    return chat
