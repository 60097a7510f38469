"""Where a text is taken apart so that an edit changes few of the parts."""

from __future__ import annotations

import re
from zlib import crc32

SEAM = re.compile(r"(?<=\S\n)(?=\S)|(?<=[^\W_])(?= [^\W_])")
"""Behind a line, and behind a word: vocabularies have few tokens across these, most have none."""

LEAST, MOST = 1_024, 16_384
"""Characters after which a seam is looked for, and up to which the next is looked for."""

_AROUND = 12
_ONE_IN = 8


def stretches(text: str) -> list[str]:
    """`text` taken apart at seams, some 1,000 to 2,000 characters apart where it has as many.

    A seam is chosen by the characters around it (content-defined chunking), so that an edit moves
    the seams next to it and leaves all others where they are. A text without seams stays whole.
    """
    parts: list[str] = []
    start = 0
    while (cut := _next_seam(text, start)) is not None:
        parts.append(text[start:cut])
        start = cut
    parts.append(text[start:])
    return parts


def _next_seam(text: str, start: int) -> int | None:
    begin = start + LEAST
    while begin < len(text) - LEAST:
        end = min(begin + MOST, len(text) - LEAST)
        for match in SEAM.finditer(text, begin, end):
            at = match.start()
            around = text[at - _AROUND : at + _AROUND].encode("utf-8", "replace")
            if crc32(around) % _ONE_IN == 0:
                return at
        begin = end
    return None
