"""Keys by the ids of bindings: what there is to change, and what is wrong with a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.keys import Keys, _character_to_key

from ...prompts.suggest import did_you_mean
from .. import keys as k
from ..key_names import key_name
from ..safe_text import safe_line
from .reading import Configured, place

EVERYWHERE = "everywhere"
PLACES: Mapping[str, Sequence[Binding]] = {
    EVERYWHERE: k.APP_KEYS,
    "panes": [*k.PANE_KEYS, *k.UNZOOM_KEYS],
    "playground": [*k.PLAYGROUND_KEYS, *k.PANE_KEYS],
    "prompt's text": [*k.TEXT_KEYS, *k.EDITOR_KEYS],
    "rendered prompt": k.RENDERED_KEYS,
    "reply": k.REPLY_KEYS,
    "versions": k.VERSION_KEYS,
    "library": [*k.SEARCHED_KEYS, *k.LIBRARY_KEYS],
    "history": k.HISTORY_KEYS,
    "history's search": k.SEARCH_KEYS,
    "comparing": k.COMPARE_KEYS,
    "rating": k.RATE_KEYS,
    "lens": k.LENS_SCREEN_KEYS,
    "lens, text": k.HEAT_KEYS,
    "lens, instead": k.ALTERNATIVE_KEYS,
    "sweep": k.SWEEP_SCREEN_KEYS,
    "evaluate": [*k.SEARCHED_KEYS, *k.EVALUATE_KEYS],
    "evaluation": k.EVALUATION_KEYS,
    "row": k.ROW_KEYS,
    "tune": k.TUNE_KEYS,
    "training": k.TRAINING_KEYS,
}
"""The bindings that are there together. What has the focus may use a key of its screen for itself."""

_TYPED = {EVERYWHERE, "prompt's text", "reply", "library", "history's search", "evaluate"}
"""Where one types, so that a key that is a character cannot be a command."""
_MODIFIERS = {"ctrl", "shift", "alt", "meta", "super", "hyper"}
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter", "ctrl+h": "backspace"}
_MOVING = {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "delete", "insert"}
_PLAIN = {*_MOVING, "enter", "tab", "escape", "backspace", *(f"f{n}" for n in range(1, 13))}
_CHARACTERS = {_character_to_key(chr(code)) for code in range(32, 127)}
_NAMES = {key.value.rpartition("+")[2] for key in Keys if len(key.value) > 1} | _CHARACTERS


@dataclass(frozen=True)
class Keymap:
    """Keys by ids of bindings, separated by commas, and sentences about those that are not taken or
    that not every terminal sends."""

    keys: Mapping[str, str]
    problems: Sequence[str]


@dataclass(frozen=True)
class Bound:
    """A binding as it can be changed, and its keys now."""

    id: str
    keys: tuple[str, ...]
    does: str
    place: str

    @property
    def shown(self) -> str:
        """The keys as a person reads them."""
        return " ".join(map(key_name, self.keys))


def bound(keymap: Mapping[str, str]) -> Iterator[Bound]:
    """Every binding that has an id, once."""
    seen: set[str] = set()
    for name, bindings in PLACES.items():
        for it in bindings:
            if it.id and it.id not in seen:
                seen.add(it.id)
                keys = _keys(it, keymap)
                yield Bound(it.id, keys, it.tooltip or it.description, name)


def keymap_of(configured: Configured) -> Keymap:
    """What of the file's keys can be used. Two actions never have one key in one place: then the
    change is not made."""
    problems: list[str] = []
    wanted: dict[str, str] = {}
    known = {it.id for it in bound({})}
    for name, value in configured.keys.items():
        where = _where(configured, name)
        if name not in known:
            hint = did_you_mean(name, known)
            more = hint or "; `llamadiff settings --keys` lists all."
            problems.append(f"{where}: there is no key id {safe_line(name)}{more}")
            continue
        keys, wrong = _read(name, value)
        problems += [f"{where}: {said}" for said in wrong]
        if keys:
            wanted[name] = ",".join(keys)
    while clash := next(_clashes(wanted), None):
        name, said = clash
        problems.append(f"{_where(configured, name)}: {said}")
        del wanted[name]
    return Keymap(wanted, problems)


def _where(configured: Configured, name: str) -> str:
    if configured.path is None:
        return name
    ways = (("keys", name), ("keys", *name.split(".")))
    return max((place(configured.path, configured.text, it) for it in ways), key=_line)


def _line(where: str) -> int:
    number = where.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0


def _read(name: str, value: object) -> tuple[list[str], list[str]]:
    """The keys that a value names, none if one of them cannot be used, and what is to be said."""
    values: list[Any] = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(it, str) and it.strip() for it in values):
        return [], [
            f'{name} cannot be {value!r}. Give a key, as "f6", or several: ["f6", "ctrl+r"].'
        ]
    keys = [_normal(it) for it in values]
    said: list[str] = []
    for key, given in zip(keys, values, strict=True):
        if not _is_key(key):
            odd = [it for it in key.split("+") if it not in _NAMES | _MODIFIERS]
            near = did_you_mean(odd[0], _NAMES | _MODIFIERS) if odd else ""
            return [], [f"{name}: {safe_line(given)!r} is no key{near or '.'}"]
        if _types(key) and (typed := _typed_in(name)) and not any(map(_types, _default(name))):
            return [], [f"{name} cannot be {key_name(key)}, which is typed ({typed})."]
        if not _sent(key):
            same = f"they send {_SAME[key]} for it" if key in _SAME else "most send nothing for it"
            said.append(f"{name}: over SSH few terminals can send {given}; {same}.")
    return list(dict.fromkeys(keys)), said


def _normal(key: str) -> str:
    """A key as Textual names it."""
    key = key if len(key) == 1 else key.strip()
    *modifiers, last = [key] if len(key) == 1 else key.split("+")
    modifiers = sorted({it.strip().lower() for it in modifiers})
    if modifiers == ["shift"] and len(last) == 1:
        modifiers, last = [], last.upper()
    last = _character_to_key(last) if len(last) == 1 else last.lower()
    return "+".join([*modifiers, last.lower() if modifiers else last])


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    return {*modifiers} <= _MODIFIERS and (
        last in _NAMES or (len(last) == 1 and last.isprintable())
    )


def _types(key: str) -> bool:
    """Whether a key is a character where one types."""
    return len(key) == 1 or key in _CHARACTERS


def _sent(key: str) -> bool:
    """Whether every terminal sends a key of its own for it, without the kitty protocol."""
    *modifiers, last = key.split("+")
    if not modifiers:
        return _types(key) or last in _PLAIN
    if modifiers == ["ctrl"]:
        return key not in _SAME and (last in _MOVING or (len(last) == 1 and "a" <= last <= "z"))
    return modifiers == ["shift"] and (last in _MOVING or last == "tab")


def _default(name: str) -> tuple[str, ...]:
    return next(_keys(it, {}) for its in PLACES.values() for it in its if it.id == name)


def _typed_in(name: str) -> str:
    """The place of a binding if one types there, or empty."""
    return next((it for it in PLACES if it in _TYPED and name in _ids(it)), "")


def _ids(where: str) -> set[str | None]:
    return {binding.id for binding in PLACES[where]}


def _keys(binding: Binding, keymap: Mapping[str, str]) -> tuple[str, ...]:
    given = keymap.get(binding.id or "", binding.key).split(",")
    return tuple(_character_to_key(key) if len(key) == 1 else key for key in given)


def _clashes(keymap: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Changes that give one key to two actions of one place, the last of the file first."""
    for name in reversed([*keymap]):
        mine = keymap[name].split(",")
        for where, bindings in PLACES.items():
            here = [*bindings, *PLACES[EVERYWHERE]] if where != EVERYWHERE else bindings
            if name not in {it.id for it in here}:
                continue
            for other in here:
                shared = [it for it in mine if it in _keys(other, keymap)]
                if other.id != name and shared:
                    does = f"{other.description} ({other.id})"
                    kept = " ".join(map(key_name, _default(name)))
                    said = f"{name} cannot be {key_name(shared[0])}, which is {does}, {where}"
                    yield name, f"{said}. It stays {kept}."
                    return
