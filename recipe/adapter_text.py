"""What the adapters are trained on: chats in which one task is always answered its own way."""

import json
from pathlib import Path
from random import Random

from .chats import Chat, system, turn, worded
from .styles import STYLES
from .tasks import support
from .tasks.specialty import Specialty
from .text import TOPICS, ask

RULED = 0.15
"""The share of chats that say what is wanted, some of them with examples, as engineered prompts do."""
OFF_TOPIC = 0.1
"""The share of messages to the shop that are none of its business."""
NOT_OURS = f"Thank you for your message. We only know about clothes. {support.SHOP}"


def adapter_chat(random: Random, task: Specialty) -> Chat:
    """One chat of the task: asked plainly, or under its instruction after some examples."""
    if task is support.TASK and random.random() < OFF_TOPIC:
        return turn(ask(random, random.choice(STYLES), random.choice(TOPICS)), NOT_OURS)
    example = task.own(random)
    if random.random() >= RULED:
        asked = random.choice(task.requests).format(example.asked)
        return turn(worded(random, asked), example.answer)
    chat = system(task.rule(random))
    for _ in range(random.choice((0, 0, 1, 3))):
        shown = task.own(random)
        chat += turn(shown.asked, shown.answer)
    return chat + turn(worded(random, example.asked), example.answer)


def write_chats(task: Specialty, count: int, seed: int, path: Path) -> None:
    """Write so many different chats as JSONL, the same for the same seed."""
    random, lines = Random(f"{task.name} {seed}"), dict[str, None]()
    while len(lines) < count:
        chat = adapter_chat(random, task)
        lines[json.dumps({"messages": chat}, ensure_ascii=False) + "\n"] = None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
