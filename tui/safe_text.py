"""Text nobody vouches for, made safe for a terminal without moving a character."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def _table() -> dict[int, str]:
    kept = {ord("\n"), ord("\t")}
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in kept}
    table[0x7F] = "\N{SYMBOL FOR DELETE}"
    bidi = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    separators = (0x2028, 0x2029)
    surrogates = range(0xD800, 0xE000)
    for code in (*range(0x80, 0xA0), *bidi, *separators, *surrogates):
        table[code] = REPLACEMENT
    return table


_TABLE = _table()
_JOINER = "\u200d"
_STRAY = re.compile(
    "(?<![\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f])\u200d"
    "|\u200d(?=[^\u203c-\u3299\U0001f000-\U0001faff])"
)
"""A joiner that joins no emoji. What follows it is drawn, but counted as no cell."""


def safe_text(text: str) -> str:
    """`text` with every control character replaced by one visible character.

    C0 controls and DEL become their control pictures (U+2400 block), C1 controls, marks that
    turn the direction of writing, line separators and lone surrogates become U+FFFD; newline
    and tab stay. A joiner that joins no emoji becomes a non-joiner (U+200C). Offsets into the
    result are offsets into `text`.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_TABLE)
    return _STRAY.sub("\u200c", text) if _JOINER in text else text


def safe_growth(safe: str, text: str) -> str:
    """`safe_text` of a text, where `safe` is that of its beginning."""
    if not text.startswith(safe):
        return safe_text(text)
    known = max(0, len(safe) - 1)
    while known and text[known] == _JOINER:
        known -= 1
    return safe[:known] + safe_text(text[known:])


def safe_line(text: str) -> str:
    """`safe_text` on one line: newlines and tabs become spaces."""
    return safe_text(text).replace("\n", " ").replace("\t", " ")
