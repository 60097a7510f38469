"""Say what is odd about an adapter that was taken all the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import App

SHOWN_S = 15.0


def tell_odd(app: App[Any], sentences: Iterable[str]) -> None:
    """Show each sentence long enough to be read."""
    for sentence in sentences:
        app.notify(sentence, severity="warning", timeout=SHOWN_S)
