"""What keys are called where a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.message_pump import MessagePump

_NAMES = {
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "delete": "del",
    "backspace": "backspace",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "equals_sign": "=",
    "slash": "/",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "comma": ",",
    "full_stop": ".",
    "down": "↓",
    "left": "←",
    "right": "→",
    "shift+tab": "⇧tab",
    "up": "↑",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


def key_name(key: str) -> str:
    """A key as shown to a person: `ctrl+p` is `^p`, `f5` is `F5`."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"^{key_name(key.removeprefix('ctrl+'))}"
    return key.upper() if key[0] == "f" and key[1:].isdigit() else key


def bound_keys(it: MessagePump, binding: Binding) -> list[str]:
    """The keys of a binding, where the app that something belongs to may have others for it."""
    return it.app._keymap.get(binding.id or "", binding.key).split(",")


def key_names(it: MessagePump, binding: Binding) -> str:
    """Those keys as shown to a person."""
    return " ".join(map(key_name, bound_keys(it, binding)))
