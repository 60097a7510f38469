"""What two long unrelated outputs ask of the event loop: streaming, their last diff, reopening.

    .venv/bin/python benchmarks/long_outputs.py [-n ROUNDS]

The real app without a terminal, on the bundled model. Two outputs grow side by side to 5,000 words
as if they streamed; three such turns of a conversation are then shown at once, as when a run is
reopened. The figures are the longest stretches for which the loop computed without a pause.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history_screen import until
from live_diff import WORDS, prose
from loop import Loop, watched

from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.setup import Setup
from llamadiff.tui.widgets.output_pane import OutputPane

STEPS = 60
TURNS = 3


class Pair:
    """The app with two variants, and what they say."""

    def __init__(self, screen: Playground, loop: Loop, seed: int) -> None:
        self._screen, self._loop, self._rng = screen, loop, random.Random(seed)

    def turn(self, before: Run | None) -> Run:
        """A run whose outputs have said nothing yet."""
        variants = tuple(self._screen.playground.variants)
        outputs = [Output(variant, 0, 0, state=State.STREAMING) for variant in variants]
        if before is not None:
            for output, old in zip(outputs, before.outputs, strict=True):
                output.follows, output.reply = old, "Why?"
        return Run(variants, {}, outputs=outputs)

    def say(self, run: Run, texts: list[list[str]], count: int) -> None:
        """Have the outputs say their first words."""
        for output, words in zip(run.outputs, texts, strict=True):
            new = words[len(output.tokens) : count]
            for word in new:
                output.text += word
                output.tokens.append(0)
                output.token_ends.append(len(output.text))
            if count == WORDS:
                output.state = State.DONE

    def texts(self) -> list[list[str]]:
        return [prose(self._rng, WORDS) for _ in range(2)]

    async def settled(self) -> float:
        """The longest stretch until both panes show all there is."""
        panes = list(self._screen.query(OutputPane))
        await until(lambda: all(pane.settled for pane in panes))
        await asyncio.sleep(0.1)
        return self._loop.take()


async def once(home: Path, seed: int, add: Callable[[str, float], None]) -> None:
    variants = make_variants(Defaults(), ["prompt=tell-me-about", "prompt=tell-me-about,adapter=support"])  # fmt: skip
    setup = Setup(cache_dir=home / "cache", log_dir=home / "log", state_dir=home / "state", variants=[replace(v) for v in variants])  # fmt: skip
    app = LlamadiffApp(setup)
    async with app.run_test(size=(120, 40)):
        screen = app.screen
        assert isinstance(screen, Playground)
        await until(lambda: screen.session.status.state == "ready")
        await asyncio.sleep(0.5)
        async with watched() as loop:
            pair = Pair(screen, loop, seed)
            run = pair.turn(None)
            screen.playground.started(run, None)
            screen.board.show()
            texts = pair.texts()
            for step in range(1, STEPS):
                pair.say(run, texts, WORDS * step // STEPS)
                screen.board.flush()
                await asyncio.sleep(0.02)
            add("while they stream", loop.take())
            pair.say(run, texts, WORDS)
            screen.board.flush()
            add("the last diff", await pair.settled())
            turns: list[Run] = []
            for _ in range(TURNS):
                turns.append(pair.turn(turns[-1] if turns else None))
                pair.say(turns[-1], pair.texts(), WORDS)
            await asyncio.sleep(0.1)
            loop.take()
            screen.playground.started(turns[-1], None)
            screen.board.show()
            add(f"{TURNS} such turns shown at once", await pair.settled())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="rounds")
    figures: dict[str, list[float]] = {}
    for number in range(parser.parse_args().n):
        with tempfile.TemporaryDirectory() as home:
            asyncio.run(once(Path(home), number, lambda name, it: figures.setdefault(name, []).append(it)))  # fmt: skip
    for name, times in figures.items():
        print(f"{name:34} {statistics.median(times):7.1f} ms (longest {max(times):.1f})")


if __name__ == "__main__":
    main()
