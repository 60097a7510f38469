"""Time from a key press to its paint while four variants stream, in a pty.

The prompt's editor has the focus. Each key is a letter that no output holds,
so its first appearance in the terminal's bytes is its paint.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

from terminal import Terminal

LETTERS = "ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥ"
STREAMED = 1000
"""Bytes a second that four streams write at least; without any, a cursor that blinks writes a few."""
PROMPT = """\
name = "Endless"
user = "Tell me about dogs."
[sampling]
max_tokens = 100000
logit_bias = { %s }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=300, help="key presses")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prompt = Path(folder) / "endless.toml"
        prompt.write_text(PROMPT % ", ".join(f'"{token}" = -100.0' for token in range(8)))
        variants = [
            "adapter=none",
            "adapter=support",
            "adapter=none,seed=1",
            "adapter=sentiment@0.3",
        ]
        argv = [str(Path(sys.executable).parent / "llamadiff"), "-p", str(prompt), "-c", "60000"]
        for variant in variants:
            argv += ["--variant", variant]
        terminal = Terminal(argv, env={"LLAMADIFF_HOME": folder})
        try:
            latencies = measure(terminal, options.n)
            written = terminal.seen[:]
        finally:
            terminal.close()
    latencies.sort()
    result = {
        "keys": len(latencies),
        "median_ms": statistics.median(latencies) * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99) - 1] * 1000,
        "max_ms": latencies[-1] * 1000,
        "bytes_written": len(written),
    }
    if options.json:
        print(json.dumps(result))
        return
    print(f"key to paint while four variants stream, {result['keys']} keys: median {result['median_ms']:.1f} ms, 99th percentile {result['p99_ms']:.1f} ms, largest {result['max_ms']:.1f} ms")  # fmt: skip


def measure(terminal: Terminal, keys: int) -> list[float]:
    terminal.wait_for("ready", start=0)
    terminal.send("\x12")  # ctrl+r: run
    terminal.wait_for("streaming", timeout_s=30)
    terminal.drain(2)
    latencies: list[float] = []
    pause = random.Random(1)
    for i in range(keys):
        letter = LETTERS[i % len(LETTERS)]
        start = len(terminal.seen)
        pressed = terminal.send(letter)
        latencies.append(terminal.wait_for(letter, timeout_s=10, start=start) - pressed)
        terminal.drain(0.02 + pause.random() * 0.08)
        if i % 20 == 19:
            terminal.send("\x7f" * 20)  # backspace: keep the line short
            terminal.drain(0.2)
    written = len(terminal.seen)
    terminal.drain(1)
    if len(terminal.seen) - written < STREAMED:
        sys.exit("the streams had ended before the keys did; ask for fewer keys")
    return latencies


if __name__ == "__main__":
    main()
