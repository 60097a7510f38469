"""What the app has said, so that it can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

KEPT = 100
"""So many of the last messages."""


@dataclass(frozen=True)
class Said:
    """A message, of a severity as Textual names them."""

    at: datetime
    severity: str
    text: str
