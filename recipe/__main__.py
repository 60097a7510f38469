"""Make the bundled model, its adapters, suites and prompts: ``python -m recipe make --work DIR --out DIR``."""

import argparse
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it asks for."""
    parser = argparse.ArgumentParser(prog="python -m recipe", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="train the base and the adapters, write all that ships")
    make.add_argument("--work", type=Path, required=True, help="folder for checkpoints and records")
    make.add_argument("--tiny", action="store_true", help="a quick run that tests the way")
    suites = commands.add_parser("suites", help="write the suites, prompts and rows")
    card = commands.add_parser(
        "card",
        help="score what was made and write the model's card; 1 if it does not show what it is to",
    )
    for each in (make, suites, card):
        each.add_argument(
            "--out", type=Path, required=True, help="folder laid out as the repository"
        )
    text = commands.add_parser("text", help="print chats of the base's training text")
    text.add_argument("--count", type=int, default=20, help="how many chats")
    text.add_argument("--seed", type=int, default=1, help="which chats")
    given = parser.parse_args(arguments)
    {"make": _make, "suites": _suites, "card": _card, "text": _text}[given.command](given)


def _make(given: argparse.Namespace) -> None:
    from .make import make
    from .scale import FULL, TINY
    from .train_base import OtherTraining

    try:
        for path in make(TINY if given.tiny else FULL, given.work, given.out):
            print(path)
    except OtherTraining as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _suites(given: argparse.Namespace) -> None:
    from .suites import write_suites

    write_suites(given.out)


def _card(given: argparse.Namespace) -> None:
    from .card import write_card

    if missing := write_card(given.out):
        print(*missing, sep="\n")
        sys.exit(1)


def _text(given: argparse.Namespace) -> None:
    from .text import chats

    for chat in islice(chats(given.seed), given.count):
        for message in chat:
            print(f"{message['role']}: {message['content']}")
        print()


if __name__ == "__main__":
    main()
