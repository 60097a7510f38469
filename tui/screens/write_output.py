"""Write something to a file whose path is typed, with completion, in the format its name asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual.app import App

from ..exporting import PICTURE, Written
from ..paths import expanded
from ..picture import save_picture
from ..safe_text import safe_line
from .path_picker import PathPicker


async def write(app: App[Any], written: Written) -> None:
    """Ask where to, write it there, and say so."""
    path = await app.push_screen_wait(WriteOutput(written))
    if path is not None and path.suffix == PICTURE:
        save_picture(app, path)
    elif path is not None:
        app.notify(safe_line(f"Wrote {path}."), timeout=4)


class WriteOutput(PathPicker[Path]):
    """Gives the path that was written to; a picture of the screen is still to be made."""

    PLACEHOLDER = "path of a file"

    def __init__(self, written: Written) -> None:
        super().__init__()
        self._written = written
        self.KEYS_TEXT = f"{written.about} · {{picker.complete}} completes · enter write · {{dialog.cancel}} cancel"
        self.SUFFIX = (*written.forms, PICTURE)

    def title_text(self) -> str:
        return f"Write {safe_line(self._written.what)} to"

    def proposed(self) -> str:
        return self._written.name

    async def take(self, key: str) -> None:
        if not key or key.endswith("/") or expanded(key).is_dir():
            self.problem("Give the name of a file.")
            return
        path = expanded(key)
        if path.suffix not in self.SUFFIX:
            path = path.with_name(f"{path.name}{Path(self._written.name).suffix}")
        if path.exists() and path != self.confirmed:
            self.confirmed = path
            self.problem(f"{path} is there already; enter again writes over it.")
            return
        try:
            if path.suffix != PICTURE:
                await asyncio.to_thread(self._write, path)
        except OSError as error:
            self.problem(f"{path} cannot be written: {error.strerror or error}.")
        else:
            self.dismiss(path)

    def _write(self, path: Path) -> None:
        path.write_text(self._written.forms[path.suffix](), "utf-8", errors="replace")
