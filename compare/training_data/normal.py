"""Text without what makes no difference: case, blanks, punctuation around words."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.escape(".,;:!?…\"'`´‘’“”„«»()[]–—*_")
_AROUND = re.compile(rf"(?<!\w)[{_MARKS}]+|[{_MARKS}]+(?!\w)")


def normal(text: str) -> str:
    """The words of a text with one space between them. Signs within words (3.5, C++, -1) stay."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_AROUND.sub(" ", folded).split())
