"""The Tune screen: F8 to its paint, and the loop while rows are chosen and an adapter is trained.

    .venv/bin/python benchmarks/tune_screen.py [-n 2]

The app is the real one without a terminal; rows that ship are trained on, on the bundled model, first
with the training shown, then with the playground, whose variant runs again at each checkpoint.
"the loop" is the most that the event loop's thread computed without a pause, in processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history_screen import painted, until
from loop import Loop, watched
from textual.widgets import Input

from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.screens.tune import Tune
from llamadiff.tui.setup import Setup
from llamadiff.tui.widgets.tune_list import TuneList

STEPS = 60
Figures = dict[str, list[float]]


async def once(home: Path, figures: Figures) -> None:
    app = LlamadiffApp(
        Setup(
            cache_dir=home / "cache", log_dir=home / "log", state_dir=home / "state",
            adapters_folder=home / "adapters",
        )
    )  # fmt: skip
    async with app.run_test(size=(120, 40)):
        first = app.screen
        assert isinstance(first, Playground)
        await until(lambda: first.session.status.state == "ready")
        async with watched() as loop:
            await asyncio.sleep(0.5)
            await choose(app, loop, figures)
            await train(app, first, loop, figures)


async def choose(app: LlamadiffApp, loop: Loop, figures: Figures) -> None:
    def add(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    loop.take()
    app.simulate_key("f8")
    add("F8 to the painted choices", await until(lambda: "not to be learned" in painted(app)))
    add("  the loop", loop.take())
    add("from there to the checked rows", await until(lambda: "Nothing is wrong" in painted(app)))
    add("  the loop", loop.take())
    app.simulate_key("enter")
    await until(lambda: "ships with llamadiff" in painted(app))
    add("rows to choose from: the loop", loop.take())
    app.simulate_key("escape")
    await until(lambda: isinstance(app.screen, Tune))
    app.screen.query_one(TuneList).choose("others")
    app.simulate_key("enter")
    await until(lambda: not isinstance(app.screen, Tune))
    app.screen.query_one(Input).value = f"steps={STEPS} batch=2"
    app.simulate_key("enter")
    await until(lambda: f"{STEPS} steps" in painted(app))


async def train(app: LlamadiffApp, first: Playground, loop: Loop, figures: Figures) -> None:
    def add(name: str) -> None:
        figures.setdefault(name, []).append(loop.take())

    gc.freeze()  # as the app does when a training begins
    loop.take()
    app.simulate_key("f5")
    await until(lambda: first.training is not None and first.training.look.step > 1)
    add("until the first steps, the training shown: the loop")
    it = first.training
    assert it is not None
    await until(lambda: it.look.step > STEPS // 2)
    add("half of the steps, the training shown: the loop")
    app.simulate_key("f2")
    await until(lambda: app.screen is first)
    first.playground.live = True
    await asyncio.sleep(0.5)
    loop.take()
    await until(lambda: not it.busy)
    add("the other half, the playground shown, live: the loop")
    app.simulate_key("f8")
    await until(lambda: "is written" in painted(app))
    add("F8 to what was trained: the loop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=2)
    options = parser.parse_args()
    figures: Figures = {}
    for _ in range(options.n):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(once(Path(folder), figures))
    for name, times in figures.items():
        print(f"{name:56} {statistics.median(times):9.1f} ms (longest {max(times):.1f})")


if __name__ == "__main__":
    main()
