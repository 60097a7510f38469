"""Write the rows to train on that ship: ``python -m recipe.training_rows [--out FOLDER]``.

They come from the grammar that the bundled adapters learned from, with a seed of their own; none is
asked by a shipped suite.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from . import tasks
from .adapter_text import support
from .suites import OUT as SUITES
from .suites import plain

OUT = Path(__file__).parents[1] / "compare" / "rows"
SEED = 90
TELLING = 4
"""Words from which on a text that stands inside another is no coincidence."""
COUNTS = {"sentiment": 339, "support": 329}
"""So many that 300 are left when llamadiff holds a tenth out to validate with."""

Row = dict[str, str]


def review(random: Random, number: int) -> Row:
    """A review with its label; the labels take turns."""
    label = tasks.LABELS[number % len(tasks.LABELS)]
    return {"review": tasks.review(random, label), "expected": label}


def message(random: Random, _: int) -> Row:
    """A customer's message with the shop's answer."""
    *_, asked, answer = support(random)
    return {"message": asked["content"], "expected": answer["content"]}


MAKERS: dict[str, Callable[[Random, int], Row]] = {"sentiment": review, "support": message}


def asked_by_suites() -> frozenset[str]:
    """The plain texts of all that the shipped suites ask."""
    lines = (line for file in SUITES.glob("*.jsonl") for line in file.read_text().splitlines())
    return frozenset(plain(next(iter(json.loads(line).values()))) for line in lines)


def rows(name: str) -> list[Row]:
    """The rows of one task: none twice, none that a suite asks, none with what a suite asks in it."""
    asked = asked_by_suites()
    telling = [f" {text} " for text in asked if len(text.split()) >= TELLING]
    random, found, taken = Random(SEED), list[Row](), set[str]()
    while len(found) < COUNTS[name]:
        row = MAKERS[name](random, len(found))
        text = plain(next(iter(row.values())))
        if text not in taken | asked and not any(it in f" {text} " for it in telling):
            taken.add(text)
            found.append(row)
    return found


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(prog="python -m recipe.training_rows", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the datasets")
    out: Path = parser.parse_args().out
    for name in MAKERS:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(name)]
        (out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
