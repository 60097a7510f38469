"""The Evaluate screen at size: 500 rows × 4 variants shown, and the loop while a suite runs.

    .venv/bin/python benchmarks/evaluate_screen.py [-n 3] [--live]

The app is the real one without a terminal. The evaluation shown is of the shipped sentiment suite,
its answers drawn at random; with --live the suite is run on the bundled model, too, on its
scoreboard and then on its rows. "the loop" is the most that the event loop's thread computed
without a pause, in processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history_screen import painted, until
from loop import Loop, watched
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.checks.result import Result
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.planning import plan_of
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.shipped import find_suite, shipped_suites
from llamadiff.compare.history.history import History
from llamadiff.compare.spec import Defaults
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.evaluation import Evaluation
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.setup import Setup
from llamadiff.tui.widgets.row_table import RowTable

Figures = dict[str, list[float]]


def fill(folder: Path) -> None:
    """An evaluation that is over, with its answers."""
    plan = plan_of(load_suite(find_suite("sentiment")), Defaults(), ModelSettings())
    history = History(folder, "0", print)
    key = history.evaluations.begin(plan, "0")
    draw = random.Random(1)
    for group in plan.groups():
        found: list[Checked] = []
        for row, variant, repeat in group.places:
            score = float(draw.random() < 0.5 + 0.1 * "ABCD".index(variant))
            results = (Result(score, "is what was expected"), Result(1.0, "has 1 word"))
            found.append(
                Checked(row, variant, repeat, 0, "positive " * 20, "positive " * 20, 20, 90, "stop", None, None, score, results)
            )  # fmt: skip
        history.evaluations.add(key, found)
    history.evaluations.end(key)
    history.close()


async def once(folder: Path, figures: Figures, live: bool) -> None:
    home = folder / "app"
    app = LlamadiffApp(Setup(cache_dir=home / "cache", log_dir=home / "log", state_dir=folder))
    async with app.run_test(size=(120, 40)) as pilot:
        first = app.screen
        assert isinstance(first, Playground)
        await until(lambda: first.session.status.state == "ready")
        async with watched() as loop:
            await asyncio.sleep(0.5)
            await look(pilot, loop, figures)
            if live:
                await run(pilot, loop, figures)


async def look(pilot: Pilot[None], loop: Loop, figures: Figures) -> None:
    app = pilot.app
    assert isinstance(app, LlamadiffApp)

    async def add(name: str, key: str, shown: object) -> None:
        loop.take()
        app.simulate_key(key)
        figures.setdefault(name, []).append(await until(shown))
        await asyncio.sleep(0.5)
        figures.setdefault(f"  {name}: the loop", []).append(loop.take())

    await add("F4 to suites and evaluations", "f4", lambda: "finished, 500" in painted(app))
    gc.freeze()  # as the app does in a terminal, once the screen's modules are there
    for _ in shipped_suites():
        app.simulate_key("down")
    await asyncio.sleep(0.5)
    await add("enter to the scoreboard", "enter", lambda: "VERDICT" in painted(app))
    await add("tab to the decision", "tab", lambda: "cost per call" in painted(app))
    await add("tab to the rows", "tab", lambda: "ASKS" in painted(app))
    table = app.screen.query_one(RowTable)
    before = table.items
    await add("another order", "s", lambda: table.items is not before)
    await add("a page down", "pagedown", lambda: " 1 of 500" not in painted(app))
    app.simulate_key("slash")
    await asyncio.sleep(0.3)
    await add("a letter of a search", "z", lambda: len(table.items) < 500)
    app.simulate_key("enter")
    await asyncio.sleep(0.3)
    await add("enter to a row", "enter", lambda: "prompt of 90" in painted(app))
    await add("the next row", "right", lambda: "  1 of " not in painted(app))
    app.simulate_key("f2")
    await until(lambda: isinstance(app.screen, Playground))


async def run(pilot: Pilot[None], loop: Loop, figures: Figures) -> None:
    app = pilot.app
    assert isinstance(app, LlamadiffApp)
    app.simulate_key("f4")
    await until(lambda: "finished, 500" in painted(app))
    app.screen.query_one(Input).value = "Sentiment ships"
    await asyncio.sleep(0.5)
    app.simulate_key("f5")
    await until(lambda: isinstance(app.screen, Evaluation))
    screen = app.screen
    assert isinstance(screen, Evaluation)
    it = screen.evaluating
    await until(lambda: it.seen is not None and it.seen.board.rows >= 20)
    loop.take()
    await until(lambda: it.share > 0.5)
    figures.setdefault("running, the scoreboard shown: the loop", []).append(loop.take())
    app.simulate_key("tab")
    await until(lambda: it.share > 0.7 or not it.busy)
    figures.setdefault("running, the decision shown: the loop", []).append(loop.take())
    app.simulate_key("tab")
    await until(lambda: it.share > 0.9 or not it.busy)
    figures.setdefault("running, the rows shown: the loop", []).append(loop.take())
    await until(lambda: not it.busy)
    figures.setdefault("2,000 answers", []).append(1000 * it.took_s)
    await asyncio.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3)
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    figures: Figures = {}
    for number in range(options.n):
        folder = Path(tempfile.mkdtemp())
        try:
            fill(folder)
            asyncio.run(once(folder, figures, options.live and not number))
        finally:
            shutil.rmtree(folder)
    for name, times in figures.items():
        print(f"{name:44} {statistics.median(times):9.1f} ms (longest {max(times):.1f})")


if __name__ == "__main__":
    main()
