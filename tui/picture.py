"""A picture of the screen, as an SVG file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App


def save_picture(app: App[Any], file: Path | None = None) -> None:
    """Save what is on the screen, and say where; without a file in the folder where the app was
    started."""
    file = file or Path.cwd() / f"llamadiff-{datetime.now():%Y%m%d-%H%M%S}.svg"
    try:
        file.write_text(app.export_screenshot(title="llamadiff"), "utf-8")
    except OSError as error:
        sentence = f"{file} cannot be written: {error.strerror}."
        app.notify(sentence, severity="error", markup=False)
    else:
        app.notify(f"The screen is in {file}.", timeout=6, markup=False)
