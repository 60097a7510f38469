"""What keys are called where a person reads them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.keys import _character_to_key

from .config.key_places import PLACES

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

_ID = re.compile(r"(?<!\{)\{(\w+\.\w+)\}(?!\})")
"""Not the variables of templates, `{{ row.left }}`."""

_NAMES = {
    "escape": "esc",
    "delete": "del",
    "backspace": "backspace",
    "down": "↓",
    "left": "←",
    "right": "→",
    "shift+tab": "⇧tab",
    "up": "↑",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    **{_character_to_key(chr(code)): chr(code) for code in range(33, 127)},
}


def key_name(key: str) -> str:
    """A key as shown to a person: `ctrl+p` is `^p`, `f5` is `F5`."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"^{key_name(key.removeprefix('ctrl+'))}"
    return key.upper() if key[0] == "f" and key[1:].isdigit() else key


def spoken(key: str) -> str:
    """A key in a sentence, where `ctrl+p` is that."""
    return f"ctrl+{key_name(key)[1:]}" if key.startswith("ctrl+") else key_name(key)


def keys_of(it: MessagePump, binding_id: str) -> list[str]:
    """The keys, as Textual calls them, that bindings with this id have in the app of something now.
    Raises KeyError where nothing has it."""
    return _keys(binding_id, it.app._keymap)


def with_keys(it: MessagePump, sentence: str) -> str:
    """A sentence in which the ids of bindings, in braces, become the first of the keys that these
    have in the app now. An id with a capital begins a sentence: `{Run.stop}` is `Esc`."""
    return filled(sentence, it.app._keymap)


def line_of_keys(it: MessagePump, text: str) -> str:
    """The same for a list of keys and what they do, where `ctrl+p` is `^p`."""
    return filled(text, it.app._keymap, key_name)


def styled_with_keys(it: MessagePump, said: Content) -> Content:
    """The same for a sentence that has styles."""
    parts, at = list[Content](), 0
    for found in _ID.finditer(said.plain):
        key = with_keys(it, found[0])
        styles = [span.style for span in said[found.start() : found.end()].spans]
        parts += [
            said[at : found.start()],
            Content(key, [Span(0, len(key), style) for style in styles]),
        ]
        at = found.end()
    return Content("").join([*parts, said[at:]]) if parts else said


def filled(text: str, keymap: Mapping[str, str], name: Callable[[str], str] = spoken) -> str:
    """A text with the keys that bindings have under a keymap in place of their ids. What is no id
    stays."""

    def key_of(found: re.Match[str]) -> str:
        try:
            key = name(_keys(found[1].lower(), keymap)[0])
        except KeyError:
            return found[0]
        begins = found[1][0].isupper() and len(key) > 1
        return f"{key[0].upper()}{key[1:]}" if begins else key

    return _ID.sub(key_of, text)


def _keys(binding_id: str, keymap: Mapping[str, str]) -> list[str]:
    return (keymap.get(binding_id) or _at_first()[binding_id]).split(",")


@functools.cache
def _at_first() -> Mapping[str, str]:
    """The keys of each id as everybody has them."""
    return {it.id: it.key for there in PLACES.values() for it in there.bindings if it.id}
