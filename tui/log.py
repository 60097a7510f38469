"""The program's log: tracebacks of its own mistakes, and what its parts warn of."""

from __future__ import annotations

import logging
from io import TextIOWrapper

from .paths import log_dir, private

NAME = "llamadiff.log"


class LogFile(logging.FileHandler):
    """A file in the log folder, made with the first thing there is to say."""

    trouble: OSError | None = None
    """Why the last thing could not be written."""

    def __init__(self) -> None:
        super().__init__(NAME, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def _open(self) -> TextIOWrapper:
        self.baseFilename = str(private(log_dir()) / NAME)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        self.trouble = None
        try:
            super().emit(record)
        except OSError as error:
            self.trouble = error


def keep_log() -> LogFile:
    """Have what is logged from now on written to the file."""
    root = logging.getLogger()
    kept = next((it for it in root.handlers if isinstance(it, LogFile)), None)
    if kept is None:
        kept = LogFile()
        root.addHandler(kept)
    return kept
