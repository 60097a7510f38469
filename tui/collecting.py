"""Garbage collections: a full one looks at all there is, and keeps a key waiting for 80 ms and more."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

THRESHOLDS = (2_000, 10, 50)
"""A full one after a million things more, instead of 70,000."""


def begin_without() -> None:
    """Have none until `leave_out`: nothing that is made until the first frame goes away again, and
    looking for such takes 30 ms."""
    gc.disable()


def leave_out(app: App[Any]) -> None:
    """Have collections never look at what is there by now, which stays; full ones become rare."""
    if not app.is_headless:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
