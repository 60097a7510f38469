"""Columns that stay right in terminals which take an emoji for wider or narrower than Textual does."""

from __future__ import annotations

import re

from rich.cells import split_graphemes

_UNSURE = re.compile(
    "[\u0900-\u0dff\u1100-\u11ff\u200b-\u200d\u20e3\ua8e0-\ua8ff\ua960-\ua97f\ud7b0-\ud7ff\ufe00-\ufe0f"
    "\U0001f000-\U0001faff\U000e0000-\U000e01ef]"
)
"""What terminals disagree about: joined, coloured and flag emoji, variation selectors, keycaps,
conjoining jamo, Indic signs that take a cell of their own or none."""

_SAVE, _RESTORE = "\x1b7", "\x1b8"


def is_unsure(text: str) -> bool:
    """Whether terminals disagree about how wide a text is."""
    return _UNSURE.search(text) is not None


def anchored(text: str) -> str:
    """`text` for a terminal, so that what follows stands where `cell_len(text)` says.

    What terminals disagree about is drawn over blanks, and then the cursor goes back to before it
    and on by as many cells as it should have: DECSC and DECRC, which every terminal has.
    """
    if text.isascii() or not is_unsure(text):
        return text
    pieces: list[str] = []
    for start, end, cells in split_graphemes(text)[0]:
        piece = text[start:end]
        if not is_unsure(piece):
            pieces.append(piece)
        elif cells:
            blank = f"{_SAVE}{' ' * cells}{_RESTORE}"
            pieces.append(f"{blank}{piece}{_RESTORE}\x1b[{cells}C")
    return "".join(pieces)
