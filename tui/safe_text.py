"""Text nobody vouches for, made safe for a terminal without moving a character."""

from __future__ import annotations

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


def safe_text(text: str) -> str:
    """`text` with every control character replaced by one visible character.

    C0 controls and DEL become their control pictures (U+2400 block), C1 controls, marks that
    turn the direction of writing, line separators and lone surrogates become U+FFFD; newline
    and tab stay. Offsets into the result are offsets into `text`.
    """
    return text.translate(_TABLE) if not text.isascii() or not text.isprintable() else text


def safe_line(text: str) -> str:
    """`safe_text` on one line: newlines and tabs become spaces."""
    return safe_text(text).replace("\n", " ").replace("\t", " ")
