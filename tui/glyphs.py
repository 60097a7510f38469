"""Characters that a console's font lacks, each as one that it has."""

from __future__ import annotations

_PLAIN = {
    "…⋯": "~",
    "−–—╴╶╸╺━⎯▔": "-",
    "▁▂": "_",
    "‘’": "'",
    "“”": '"',
    "▸▶▷►›⟩❯": ">",
    "◂◀◁◄‹⟨❮": "<",
    "▴▲△": "^",
    "▾▼▽": "v",
    "✓✔": "+",
    "✗✘✕": "x",
    "●◆★⬤": "*",
    "○◇◌": "o",
    "⟦": "[",
    "⟧": "]",
    "↳": ">",
    "╭┏┍┎╒╓": "┌",
    "╮┓┑┒╕╖": "┐",
    "╰┗┕┖╘╙": "└",
    "╯┛┙┚╛╜": "┘",
    "┃╏╎┆┇┊┋╵╷╹╻▏▕▎": "│",
    "▍▋▌▊": "▌",
    "▃▄▅": "▄",
    "▆▇▉": "█",
    "▘▝": "▀",
    "▖▗": "▄",
    "▙▛▜▟▚▞": "█",
}

PLAIN = {ord(it): plain for them, plain in _PLAIN.items() for it in them} | dict.fromkeys(
    range(0x2801, 0x2900), "·"
)
"""For `str.translate`: to ASCII, Latin-1, plain lines and half blocks, one cell for one cell; braille
dots, which curves are drawn with, to a dot each."""
