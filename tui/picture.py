"""A picture of the screen, as an SVG file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .new_file import save_here

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App


def save_picture(app: App[Any], file: Path | None = None) -> None:
    """Save what is on the screen, and say where; without a file in a new one where the app was
    started."""
    picture = app.export_screenshot(title="llamadiff")
    try:
        if file is None:
            file = save_here(picture, ".svg")
        else:
            file.write_text(picture, "utf-8")
    except OSError as error:
        sentence = (
            f"{file or 'A file where llamadiff was started'} cannot be written: {error.strerror}."
        )
        app.notify(sentence, severity="error")
    else:
        app.notify(f"The screen is in {file}.", timeout=6)
