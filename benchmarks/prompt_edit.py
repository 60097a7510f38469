"""Time from a key press to its paint in a prompt of 200 KB: many lines, one line, and a short one.

Three apps, each in a pty of its own with the cursor in its prompt, are typed into in turn: at the
end of the text, at its start and in its middle. Each key is a letter that the screen does not
hold, so its first appearance in the terminal's bytes is its paint. Then megabytes are pasted.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from key_latency import LETTERS
from terminal import Terminal

SIZE = 200_000
WORDS = [
    "the",
    "sizes",
    "of",
    "every",
    "coat",
    "and",
    "boot",
    "{{ topic }}",
    "and",
    "what",
    "we",
    "sell",
]
PLACES = {"end": "\x1b[1;5F", "start": "\x1b[1;5H", "middle": "\x1b[1;5H" + "\x1b[6~" * 30}
"""The keys that go there: ctrl+end, ctrl+home, and page down from the start."""
PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"


def text_of(size: int, per_line: int) -> str:
    """About `size` characters of words and template parts, a line end after each `per_line` words (0: one line)."""
    choose, words, length = random.Random(1), list[str](), 0
    while length < size:
        words.append(choose.choice(WORDS))
        if per_line and len(words) % per_line == 0:
            words[-1] += "\n"
        length += len(words[-1]) + 1
    return " ".join(words)


SHAPES: dict[str, Callable[[], str]] = {
    "short": lambda: "Tell me about {{ topic }}.",
    "many lines": lambda: text_of(SIZE, 12),
    "one line": lambda: text_of(SIZE, 0),
}


def open_app(folder: Path, text: str) -> Terminal:
    """The app on a prompt with this text, once it has looked at all of it."""
    folder.mkdir()
    prompt = folder / "prompt.toml"
    body = json.dumps(text, ensure_ascii=False)
    prompt.write_text(f'name = "Typed"\nuser = {body}\n[variables]\ntopic = "dogs"\n', "utf-8")
    argv = [str(Path(sys.executable).parent / "llamadiff"), "-p", str(prompt)]
    terminal = Terminal(argv, env={"LLAMADIFF_HOME": str(folder)})
    terminal.wait_for("ready", start=0)
    terminal.drain(3)
    return terminal


def type_into(terminal: Terminal, letters: list[str], pauses: random.Random) -> list[float]:
    latencies: list[float] = []
    for letter in letters:
        start = len(terminal.seen)
        pressed = terminal.send(letter)
        latencies.append(terminal.wait_for(letter, timeout_s=30, start=start) - pressed)
        terminal.drain(0.02 + pauses.random() * 0.2)
    terminal.send("\x7f" * len(letters))  # backspace: as it was
    terminal.drain(0.5)
    return latencies


def paste(terminal: Terminal, size: int) -> float:
    """Seconds from a paste of `size` characters to its last word, or to the refusal, painted."""
    terminal.send(PLACES["end"])
    terminal.drain(0.5)
    start, last = len(terminal.seen), f"last-of-{size}"
    said, began = (last.encode(), b"too large"), time.perf_counter()
    terminal.send_all(PASTE_START + text_of(size, 12) + last + PASTE_END)
    return terminal.wait(lambda: any(it in terminal.seen[start:] for it in said), 120, last) - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=8, help="rounds; a round is 10 keys at 3 places")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pauses, latencies = random.Random(1), dict[tuple[str, str], list[float]]()
    terminals: dict[str, Terminal] = {}
    pasted: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for shape, make in SHAPES.items():
                terminals[shape] = open_app(Path(folder) / shape.replace(" ", "-"), make())
            for number in range(options.n):
                for place, keys in PLACES.items():
                    for shape, terminal in terminals.items():
                        terminal.send(keys)
                        terminal.drain(0.5)
                        letters = [LETTERS[(number + i) % len(LETTERS)] for i in range(10)]
                        found = type_into(terminal, letters, pauses)
                        latencies.setdefault((shape, place), []).extend(found)
            for size in (100_000, 500_000, 5_000_000):
                pasted[f"{size:,}"] = paste(terminals["short"], size)
        finally:
            for terminal in terminals.values():
                terminal.close()
    figures = [
        {"shape": shape, "place": place, **summary(found)}
        for (shape, place), found in sorted(latencies.items())
    ]
    if options.json:
        print(json.dumps({"keys": figures, "paste_s": pasted}))
        return
    for it in figures:
        print(f"{it['shape']:>10}, {it['place']:<6} {it['keys']} keys: median {it['median_ms']:6.1f} ms, 99th percentile {it['p99_ms']:6.1f} ms, largest {it['max_ms']:6.1f} ms")  # fmt: skip
    for size, seconds in pasted.items():
        print(f"paste of {size} characters: {seconds:.2f} s")


def summary(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    return {
        "keys": len(ordered),
        "median_ms": statistics.median(ordered) * 1000,
        "p99_ms": ordered[max(0, int(len(ordered) * 0.99) - 1)] * 1000,
        "max_ms": ordered[-1] * 1000,
    }


if __name__ == "__main__":
    main()
