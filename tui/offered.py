"""What can be done where one is: the bindings of the focus, of the screen and of the app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen

from .key_names import key_name, with_keys

_CHARACTERS = {"plus": "+", "minus": "-"}


@dataclass(frozen=True)
class Offered:
    """An action with an id. `key` is its first key as Textual calls it, `keys` are all as they are
    shown; `node` is what does it; `now` is false where the focus takes its keys for typing."""

    id: str
    key: str
    keys: str
    name: str
    does: str
    action: str
    node: DOMNode
    now: bool = True

    @property
    def group(self) -> str:
        return self.id.partition(".")[0]


def offered(screen: Screen[Any]) -> list[Offered]:
    """What a screen offers as it is now; that which is typed over at present comes last."""
    now: dict[str, tuple[DOMNode, list[Binding]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        typed = _typed(screen, binding.key)
        if binding.id is not None and active.enabled and binding.show and not typed:
            now.setdefault(binding.id, (active.node, []))[1].append(binding)
    for _, binding in _bound(screen.app):  # a dialog hides them, yet their keys come first
        if binding.id is not None and binding.priority and _possible(screen.app, binding):
            now.setdefault(binding.id, (screen.app, [binding]))
    later: dict[str, tuple[DOMNode, list[Binding]]] = {}
    for _, binding in _bound(screen):
        if (
            binding.id is not None
            and binding.id not in now
            and binding.show
            and _possible(screen, binding)
        ):
            later.setdefault(binding.id, (screen, []))[1].append(binding)
    return [*_made(now, now=True), *_made(later, now=False)]


def _typed(screen: Screen[Any], key: str) -> bool:
    """Whether the focus takes a key for typing, of those that Textual does not know to be characters."""
    focused = screen.focused
    return key in _CHARACTERS and bool(focused and focused.check_consume_key(key, _CHARACTERS[key]))


def _possible(node: App[Any] | Screen[Any], binding: Binding) -> bool:
    return bool(node.check_action(binding.action.partition("(")[0], ()))


def _bound(node: DOMNode) -> BindingsMap:
    """The bindings of a node, with the keys that a person chose."""
    bindings = node._bindings.copy()
    bindings.apply_keymap(node.app._keymap)
    return bindings


def _made(found: dict[str, tuple[DOMNode, list[Binding]]], *, now: bool) -> Iterator[Offered]:
    for name, (node, bindings) in found.items():
        keys = " ".join(binding.key_display or key_name(binding.key) for binding in bindings)
        first = bindings[0]
        does = with_keys(node, first.tooltip or first.description)
        yield Offered(name, first.key, keys, first.description, does, first.action, node, now)
