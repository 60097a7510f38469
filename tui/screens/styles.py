"""The style sheets of screens, each in a file beside its screen."""

from __future__ import annotations

from pathlib import Path


def styles(name: str) -> str:
    """A style sheet, for a screen's `DEFAULT_CSS`.

    Named by its path instead, opening the screen would compute the styles of all screens anew.
    """
    return (Path(__file__).parent / name).read_text("utf-8")
