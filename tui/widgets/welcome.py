"""The line of the first run ever: what to press, and where the tour is."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content

from ..key_names import with_keys
from ..welcome import first_run, welcomed
from .lines import FittedLine

_WAYS = (
    "Press {run.start}: it runs these variants of one question. {app.help}, then {help.tour}, is a tour of two minutes.",
    "Press {run.start} to run · {app.help}, then {help.tour}: a tour of two minutes",
    "{run.start} runs · {app.help}, then {help.tour}: a tour",
)


class Welcome(FittedLine):
    """Is there until something was run; `folder` remembers that it was."""

    DEFAULT_CSS = "Welcome { padding: 0 1; color: $accent; text-style: bold; }"

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder
        self.display = first_run(folder)

    def on_mount(self) -> None:
        self.say([Content(with_keys(self, way)) for way in _WAYS])

    def over(self) -> None:
        """Something is run: the line is not needed any more."""
        if self.display:
            welcomed(self._folder)
            self.display = False
