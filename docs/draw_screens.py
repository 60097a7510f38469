"""Draw docs/screens: the real app on the bundled model, after a run, at two sizes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.setup import Setup

SCREENS = Path(__file__).parent / "screens"
SIZES = ((120, 40), (80, 24))


async def draw(columns: int, rows: int, folder: Path) -> None:
    app = LlamadiffApp(Setup(cache_dir=folder / "cache", log_dir=folder / "log"))
    async with app.run_test(size=(columns, rows)) as pilot:

        async def until(word: str) -> None:
            while word not in app.export_screenshot(simplify=True).replace("&#160;", " "):
                await pilot.pause(0.05)

        await until("ready")
        await pilot.press("f5")
        await until("done")
        await pilot.press("escape")
        await pilot.pause(0.5)
        path = SCREENS / f"playground-{columns}x{rows}.svg"
        path.write_text(app.export_screenshot(title="llamadiff"), encoding="utf-8")
        print(path)


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for columns, rows in SIZES:
            asyncio.run(draw(columns, rows, Path(folder)))


if __name__ == "__main__":
    main()
