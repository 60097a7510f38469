"""Draw docs/screens: the real app on the bundled model, at two sizes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.screens.training import TrainingScreen
from llamadiff.tui.setup import Setup

SCREENS = Path(__file__).parent / "screens"
SIZES = ((120, 40), (80, 24))


async def until(pilot: Pilot[None], *words: str) -> None:
    """Wait until all of these are on the screen."""
    shown = ""
    while not all(word in shown for word in words):
        await pilot.pause(0.05)
        shown = pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")


async def shoot(pilot: Pilot[None], name: str) -> None:
    """Draw the screen that is shown at every size; it has the first one afterwards."""
    for columns, rows in (*SIZES[1:], SIZES[0]):
        await pilot.resize_terminal(columns, rows)
        await pilot.pause(1)
        path = SCREENS / f"{name}-{columns}x{rows}.svg"
        path.write_text(pilot.app.export_screenshot(title="llamadiff"), encoding="utf-8")
        print(path)


async def draw(folder: Path) -> None:
    app = LlamadiffApp(
        Setup(
            cache_dir=folder / "cache", log_dir=folder / "log", state_dir=folder / "state",
            adapters_folder=folder / "adapters",
        )
    )  # fmt: skip
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(pilot, "ready")
        await pilot.press("f5")
        await until(pilot, "done")
        await pilot.press("escape")
        await shoot(pilot, "playground")
        await pilot.press("f4")
        await until(pilot, "Sentiment")
        await pilot.press(*"sentiment")
        await until(pilot, "1 of 1")
        await pilot.press("f5")
        await until(pilot, "finished")
        await shoot(pilot, "evaluation")
        await pilot.press("tab")
        await until(pilot, "break-even")
        await shoot(pilot, "decision")
        await draw_tuning(pilot)


async def draw_tuning(pilot: Pilot[None]) -> None:
    """Draw the choices, and a training that is half way."""
    await pilot.press("f8")
    await until(pilot, "Training will take")
    await shoot(pilot, "tune")
    await pilot.press("f5")
    await until(pilot, "Answers at step")
    screen = pilot.app.screen
    assert isinstance(screen, TrainingScreen)
    while screen.training.share < 0.5:
        await pilot.pause(0.05)
    await pilot.press("space")
    await until(pilot, "paused")
    await shoot(pilot, "training")


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(draw(Path(folder)))


if __name__ == "__main__":
    main()
