"""The sweep on the screen: O to its paint, the loop while seven values stream, keys meanwhile.

    .venv/bin/python benchmarks/sweep_screen.py [-n ROUNDS]

The first figures are of the real app without a terminal. Keys are typed into the field of the sweep
in a pty while all values stream; each is a letter that no output holds, so that its first appearance
in the terminal's bytes is its paint.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history_screen import painted, until
from key_latency import LETTERS, PROMPT
from loop import Loop, watched
from terminal import Terminal

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.screens.sweep import SweepScreen
from llamadiff.tui.setup import Setup
from llamadiff.tui.widgets.output_text import OutputText

TOKENS = 400
ENDS = dict.fromkeys(range(8), -100.0)
"""The bundled model's special tokens, ruled out: an answer goes on to its limit."""


def variant(tokens: int) -> Variant:
    (made,) = make_variants(Defaults(None, "tell-me-about", ("support",)), [])
    return replace(made, sampling={"max_tokens": tokens, "logit_bias": ENDS})


async def once(figures: dict[str, list[float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = LlamadiffApp(
            Setup(
                cache_dir=home / "cache", log_dir=home / "log", state_dir=home / "state",
                variants=[variant(TOKENS)],
            )
        )  # fmt: skip
        async with app.run_test(size=(120, 40)):
            first = app.screen
            assert isinstance(first, Playground)
            await until(lambda: first.session.status.state == "ready")
            app.simulate_key("escape")
            await asyncio.sleep(0.5)
            async with watched() as loop:
                await look(app, loop, figures)


async def look(app: LlamadiffApp, loop: Loop, figures: dict[str, list[float]]) -> None:
    def add(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    for which in ("first", "second"):
        loop.take()
        app.simulate_key("O")
        there = await until(lambda: isinstance(app.screen, SweepScreen) and app.screen.focused)
        there += await until(lambda: "7 values" in painted(app))
        add(f"O to its paint, the {which} time", there)
        await asyncio.sleep(0.3)
        add("  the loop was held up at most", loop.take())
        if which == "first":
            app.simulate_key("escape")
            await until(lambda: isinstance(app.screen, Playground))
            await asyncio.sleep(0.3)
    screen = app.screen
    assert isinstance(screen, SweepScreen)
    loop.take()
    app.simulate_key("enter")
    await until(lambda: screen.sweeping is not None)
    pane = screen.query_one(OutputText)
    add("enter to the first text", await until(lambda: pane.text))
    add("  the loop was held up at most", loop.take())
    while screen.sweeping is not None and not screen.sweeping.run.over:
        await asyncio.sleep(0.3)
        app.simulate_key("down")
    add("seven values stream: the loop was held up at most", loop.take())
    await until(lambda: not screen._busy)
    add("the end and its curves: the loop was held up at most", loop.take())


def keys(count: int) -> list[float]:
    """Milliseconds from each key to its paint."""
    with tempfile.TemporaryDirectory() as folder:
        prompt = Path(folder) / "endless.toml"
        prompt.write_text(PROMPT % ", ".join(f'"{token}" = -100.0' for token in range(8)))
        llamadiff = str(Path(sys.executable).parent / "llamadiff")
        argv = [llamadiff, "-p", str(prompt), "-a", "support", "-c", "60000"]
        terminal = Terminal(argv, env={"LLAMADIFF_HOME": folder})
        try:
            terminal.wait_for("ready", start=0)
            terminal.send("\x1b")
            terminal.drain(0.5)
            terminal.send("O")
            terminal.wait_for("values:", timeout_s=10)
            terminal.send("\r")
            terminal.wait_for("streaming", timeout_s=30)
            terminal.send("/")
            terminal.drain(1)
            pause, found = random.Random(1), list[float]()
            for number in range(count):
                letter, start = LETTERS[number % len(LETTERS)], len(terminal.seen)
                pressed = terminal.send(letter)
                found.append(
                    1000 * (terminal.wait_for(letter, timeout_s=10, start=start) - pressed)
                )
                terminal.drain(0.02 + pause.random() * 0.08)
                if number % 20 == 19:
                    terminal.send("\x7f" * 20)
                    terminal.drain(0.2)
            return sorted(found)
        finally:
            terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5)
    parser.add_argument("--keys", type=int, default=100)
    options = parser.parse_args()
    figures: dict[str, list[float]] = {}
    for _ in range(options.n):
        asyncio.run(once(figures))
    for name, times in figures.items():
        print(f"{name:54} {statistics.median(times):7.1f} ms (longest {max(times):.1f})")
    found = keys(options.keys)
    p99 = found[int(len(found) * 0.99) - 1]
    print(f"key to paint while seven values stream, {len(found)} keys: median {statistics.median(found):.1f} ms, 99th percentile {p99:.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
