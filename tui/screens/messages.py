"""What the app has said since it was opened, errors with where the details are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ..log import NAME
from ..safe_text import safe_line
from ..said import Said
from .dialog import Dialog

_STYLES = {"error": "bold $error", "warning": "bold $warning"}


class Messages(Dialog[None]):
    """Shows messages, the newest first; `log_dir` is where the logs are."""

    TITLE_TEXT = "Messages"
    KEYS_TEXT = "↑↓ scroll · {dialog.cancel} done"
    MOST_LINES = 30

    def __init__(self, said: Sequence[Said], log_dir: Path) -> None:
        super().__init__()
        self._said = said
        self._log_dir = log_dir

    def body(self) -> Iterable[Widget]:
        lines = [self._line(it) for it in reversed(self._said)] or [
            Content("Nothing was said yet.")
        ]
        logs = [path for name in ("engine.log", NAME) if (path := self._log_dir / name).exists()]
        if logs:
            there = " and ".join(safe_line(str(path)) for path in logs)
            lines += [
                Content(),
                Content.styled(f"What the engine and llamadiff noted: {there}", "$dim"),
            ]
        yield VerticalScroll(
            Static(Content("\n").join(lines), markup=False), classes="dialog-scroll"
        )

    @staticmethod
    def _line(it: Said) -> Content:
        style = _STYLES.get(it.severity, "")
        return Content.assemble((f"{it.at:%H:%M:%S}  ", "$dim"), (safe_line(it.text), style))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
