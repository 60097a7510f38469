"""Time to open a library of a thousand prompts, by a fresh process, and to search and reopen it.

Files of 1, 3 and 10 kB in turn, so that what else the machine does falls on all alike. "Open" is
from making the Library to having its entries; the import before it is given apart.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = (1, 3, 10)
OPEN = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
from llamadiff.prompts.library import Library
imported = time.perf_counter()
library = Library([Path(sys.argv[1])])
entries = library.entries()
opened = time.perf_counter()
found = library.search("prompt 99")
searched = time.perf_counter()
library.entries()
again = time.perf_counter()
assert not any(it.problem for it in entries) and found
print(json.dumps({"import": imported - start, "open": opened - imported, "search": searched - opened, "again": again - searched}))
"""
PROMPT = """\
name = "Prompt {number}"
description = "What is said about {number}"
tags = ["tag{tag}", "bench"]
system = \"\"\"
{text}\"\"\"
user = "Tell me about {{{{ topic }}}}."

[variables]
topic = {{ default = "dogs", description = "anything everyday" }}

[[examples]]
user = "Tell me about cats."
assistant = "Cats are small."

[sampling]
temperature = 0.7
"""
WORDS = [
    "the",
    "answer",
    "of",
    "a",
    "model",
    "to",
    "what",
    "is",
    "asked",
    "in",
    "few",
    "plain",
    "words",
    "about",
    "clothes",
    "and",
    "dogs",
]


def write_library(folder: Path, prompts: int, kilobytes: int) -> None:
    """That many prompts, of about that size each."""
    folder.mkdir()
    pick = random.Random(1)
    for number in range(prompts):
        words = " ".join(pick.choice(WORDS) for _ in range(kilobytes * 190))
        lines = words.replace(" plain", "\n")
        text = PROMPT.format(number=number, tag=number % 7, text=lines)
        (folder / f"prompt-{number}.toml").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=10, help="times each")
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    taken: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    with tempfile.TemporaryDirectory() as root:
        for size in SIZES:
            write_library(Path(root) / str(size), options.prompts, size)
        for _ in range(options.n):
            for size in SIZES:
                argv = [sys.executable, "-c", OPEN, str(Path(root) / str(size))]
                done = subprocess.run(argv, capture_output=True, text=True, check=True)
                taken[size].append(json.loads(done.stdout))
    result = {
        f"{size}_kB": {
            step: {
                "median_ms": statistics.median(it[step] for it in times) * 1000,
                "max_ms": max(it[step] for it in times) * 1000,
            }
            for step in times[0]
        }
        for size, times in taken.items()
    }
    if options.json:
        print(json.dumps(result))
        return
    for size, steps in result.items():
        figures = ", ".join(f"{step} {it['median_ms']:.0f} ms (max {it['max_ms']:.0f})" for step, it in steps.items())  # fmt: skip
        print(f"{options.prompts:,} prompts of {size.replace('_', ' ')}: {figures}")


if __name__ == "__main__":
    main()
