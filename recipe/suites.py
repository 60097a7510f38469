"""Write the datasets of the shipped suites: ``python -m recipe.suites [--out FOLDER]``.

Rows from the recipe's grammars are drawn with a seed of their own, and none is taken whose text is
anywhere in what the bundled files were trained on.
"""

import argparse
import json
import re
from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

from . import tasks
from .adapter_text import adapter_chats
from .chats import Chat
from .own_questions import INSTRUCTIONS, QUESTIONS, ROLE, SHOP_MESSAGES, TOPIC_MESSAGES
from .own_words import MESSAGES, REVIEWS
from .scale import FULL, Scale
from .text import chats
from .train_adapters import SEED as ADAPTER_SEED
from .train_base import SEED as BASE_SEED

OUT = Path(__file__).parents[1] / "compare" / "suites"
SEED = 70
SENTIMENT_ROWS = 500
_WORDS = re.compile(r"[^\W_]+")
SHORTEST_CHAT = 20
"""Tokens; the base saw fewer chats than its tokens divided by this."""


def plain(text: str) -> str:
    """Without what people type this way or that."""
    return " ".join(_WORDS.findall(text.lower()))


def trained_on(scale: Scale, adapter: str) -> str:
    """All that the base and an adapter were trained on, in one plain text."""
    own = islice(adapter_chats(adapter, ADAPTER_SEED), scale.adapter_steps * scale.adapter_batch)
    return f"{_base_text(scale)}\n{_joined(own)}"


@cache
def _base_text(scale: Scale) -> str:
    count = scale.steps * scale.tokens_per_step // SHORTEST_CHAT
    return _joined(islice(chats(BASE_SEED + 1), count))


def _joined(them: Iterable[Chat]) -> str:
    said = dict.fromkeys(message["content"] for chat in them for message in chat)
    return "\n".join(f" {text} " for text in dict.fromkeys(map(plain, said)))


def sentiment_rows(seen: str) -> list[dict[str, str]]:
    """Reviews with their labels, as many of each label; in new words first."""
    rows = [
        {"review": review, "expected": label, "words": "new"}
        for label, reviews in REVIEWS.items()
        for review in reviews
    ]
    random, taken = Random(SEED), {plain(row["review"]) for row in rows}
    while len(rows) < SENTIMENT_ROWS:
        label = tasks.LABELS[len(rows) % len(tasks.LABELS)]
        review = tasks.review(random, label)
        key = plain(review)
        if key not in taken and f" {key} " not in seen:
            taken.add(key)
            rows.append({"review": review, "expected": label, "words": "known"})
    return rows


def support_rows() -> list[dict[str, str]]:
    """Customers' messages, and what an answer has to ask for or say."""
    return [
        {"message": message, "expected": WANTED[subject], "subject": subject}
        for subject, messages in MESSAGES.items()
        for message in messages
    ]


def general_rows() -> list[dict[str, str]]:
    """Everyday questions, and a word that a fitting answer has."""
    return [{"question": question, "expected": word} for question, word in QUESTIONS.items()]


def instruction_rows() -> list[dict[str, str]]:
    """Messages, each with every instruction and the pattern of an answer that obeys it."""
    rows: list[dict[str, str]] = []
    for asked, (instruction, pattern) in INSTRUCTIONS.items():
        for role, messages in (("", TOPIC_MESSAGES), (ROLE, SHOP_MESSAGES)):
            rows += [
                {
                    "message": message,
                    "instruction": role + instruction,
                    "expected": pattern,
                    "asked": asked,
                }
                for message in messages
            ]
    return rows


WANTED = {
    "delivery": "order number",
    "size": "size",
    "return": "thirty days",
    "damage": "order number",
    "product": "colour",
}


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(prog="python -m recipe.suites", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the datasets")
    out: Path = parser.parse_args().out
    for name, rows in (
        ("sentiment", sentiment_rows(trained_on(FULL, "sentiment"))),
        ("support", support_rows()),
        ("general", general_rows()),
        ("instructions", instruction_rows()),
    ):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
