"""The History on the screen at size: F9 to its first painted page, a search, the loop meanwhile.

    .venv/bin/python benchmarks/history_screen.py [--folder FOLDER]

The history is that of benchmarks/history.py, made anew unless FOLDER holds one. The app is the real
one without a terminal. A search is timed from its last key, with the pause that waits for another.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history import fill
from loop import Loop, watched
from textual.pilot import Pilot

from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.setup import Setup
from llamadiff.tui.widgets.run_table import RunTable

WORDS = ("w0", "w199", "w15000", "of", "nowhere")


def painted(app: LlamadiffApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(condition: object) -> float:
    assert callable(condition)
    start = time.perf_counter()
    while not condition():
        await asyncio.sleep(0.002)
    return 1000 * (time.perf_counter() - start)


async def once(folder: Path, figures: dict[str, list[float]]) -> None:
    home = folder / "app"
    app = LlamadiffApp(Setup(cache_dir=home / "cache", log_dir=home / "log", state_dir=folder))
    async with app.run_test(size=(120, 40)) as pilot:
        first = app.screen
        assert isinstance(first, Playground)
        await until(lambda: first.session.status.state == "ready")
        async with watched() as loop:
            await look(pilot, loop, figures)


async def look(pilot: Pilot[None], loop: Loop, figures: dict[str, list[float]]) -> None:
    app = pilot.app
    assert isinstance(app, LlamadiffApp)

    def add(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    await asyncio.sleep(0.3)
    loop.take()
    app.simulate_key("f9")
    add("F9 to the first painted page", await until(lambda: app.screen.query(RunTable) and "Prompt " in painted(app)))  # fmt: skip
    await asyncio.sleep(0.3)
    add("  the loop was held up at most", loop.take())
    for number, word in enumerate(WORDS):
        for key in (*(["escape"] if number else []), "slash", *word[:-1]):
            app.simulate_key(key)
        await asyncio.sleep(0.5)
        loop.take()
        add(f"search for {word}", await changed_by(app, word[-1]))
        await asyncio.sleep(0.3)
        add("  the loop was held up at most", loop.take())


async def changed_by(app: LlamadiffApp, key: str) -> float:
    """Milliseconds from a key to another list."""
    table = app.screen.query_one(RunTable)
    before = table.runs
    app.simulate_key(key)
    return await until(lambda: table.runs is not before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--outputs", type=int, default=100_000)
    parser.add_argument("-n", type=int, default=5)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        if not (folder / "history.db").exists():
            fill(folder, options.outputs)
        figures: dict[str, list[float]] = {}
        for _ in range(options.n):
            asyncio.run(once(folder, figures))
        for name, times in figures.items():
            print(f"{name:34} {statistics.median(times):7.1f} ms (longest {max(times):.1f})")
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
