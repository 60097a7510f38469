"""A text for the terminal's clipboard, by way of whatever stands between the app and the terminal."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Mapping

from .new_file import save_here

COPYING = "\x1b]52;"
"""How what has a terminal copy begins (OSC 52)."""
MOST = 74_994
"""Bytes; some terminals drop more (100,000 with the encoding and what is around it)."""
SCREEN_PIECE = 512
"""Characters; GNU screen passes on control sequences of up to 768."""
TMUX_S = 5
WITHOUT = ("linux", "dumb", "vt")
"""How the names of terminals without a clipboard begin."""


def copy(text: str, write: Callable[[str], object], env: Mapping[str, str] = os.environ) -> str:
    """Send a text there, through `write` or tmux itself; or save it. What became of it, in a
    sentence: what the terminal does with what it is sent, it does not say."""
    size = len(text.encode())
    count = f"{len(text):,} character{'s' * (len(text) != 1)}"
    if "TMUX" in env and (said := _to_tmux(text, size)):
        return f"Sent {count} to tmux's buffer{said}"
    if size > MOST:
        return _saved(text, f"{count} are more than terminals take")
    if env.get("TERM", "").startswith(WITHOUT):
        return _saved(text, "This terminal has no clipboard")
    write(sequence(text, env))
    return f"Sent {count} to the terminal's clipboard (OSC 52)."


def sequence(text: str, env: Mapping[str, str]) -> str:
    """What is written to have the terminal take a text: OSC 52, wrapped for what passes it on."""
    plain = f"{COPYING}c;{base64.b64encode(text.encode()).decode()}\x07"
    if "TMUX" in env or env.get("TERM", "").startswith("tmux"):
        # tmux takes the one where its set-clipboard is on, and passes on the other where its
        # allow-passthrough is.
        inner = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{inner}\x1b\\"
    if "STY" in env:
        pieces = (plain[at : at + SCREEN_PIECE] for at in range(0, len(plain), SCREEN_PIECE))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return plain


def _to_tmux(text: str, size: int) -> str:
    """Have tmux take a text, and send it on; where it went besides, or empty if tmux did not."""
    try:
        off = _tmux("show-options", "-sv", "set-clipboard").strip() == b"off"
        onward = ["-w"] if size <= MOST and not off else []
        _tmux("load-buffer", *onward, "-", text=text)
    except (OSError, subprocess.SubprocessError):
        return ""
    if onward:
        return " and to the terminal's clipboard."
    return f" alone: {'its set-clipboard is off' if off else 'terminals take no more at once'}."


def _tmux(*arguments: str, text: str = "") -> bytes:
    return subprocess.run(
        ["tmux", *arguments], input=text.encode(), capture_output=True, check=True, timeout=TMUX_S
    ).stdout


def _saved(text: str, why: str) -> str:
    try:
        return f"{why}: saved to {save_here(text, '.txt')}."
    except OSError as error:
        return f"{why}, and no file can be written where llamadiff was started: {error.strerror}."
