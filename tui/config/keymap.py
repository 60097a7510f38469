"""Keys by the ids of bindings: what there is to change, and what is wrong with a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.keys import Keys, _character_to_key

from ...prompts.suggest import did_you_mean
from ..key_names import filled, key_name
from ..safe_text import safe_line
from .key_places import EVERYWHERE, PLACES, Place
from .reading import Configured, place

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
    for name, there in PLACES.items():
        for it in there.bindings:
            if it.id and it.id not in seen:
                seen.add(it.id)
                keys = _keys(it, keymap)
                does = filled(it.tooltip or it.description, keymap)
                yield Bound(it.id, keys, does, name)


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
        form = 'Give a key, as "f6", or several: ["f6", "ctrl+r"].'
        return [], [f"{name} cannot be {value!r}. {form} {_stays(name)}"]
    keys = [_normal(it) for it in values]
    said: list[str] = []
    for key, given in zip(keys, values, strict=True):
        if not _is_key(key):
            odd = [it for it in key.split("+") if it not in _NAMES | _MODIFIERS]
            near = did_you_mean(odd[0], _NAMES | _MODIFIERS) if odd else ""
            return [], [f"{name}: {safe_line(given)!r} is no key{near or '.'} {_stays(name)}"]
        if _types(key) and (typed := _typed_in(name)) and not any(map(_types, _default(name))):
            typed = f"which is typed ({typed})"
            return [], [f"{name} cannot be {key_name(key)}, {typed}. {_stays(name)}"]
        if (kept := _kept_in(name, key)) and not any(map(_types, _default(name))):
            kept = f"which a field has for its text ({kept})"
            return [], [f"{name} cannot be {key_name(key)}, {kept}. {_stays(name)}"]
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
    return next(_keys(it, {}) for _, _, it in _places_of(name))


def _stays(name: str) -> str:
    return f"It stays {' '.join(map(key_name, _default(name)))}."


def _typed_in(name: str) -> str:
    """The place where a character as the key of a binding is typed, or empty."""
    return next((where for where, place, it in _places_of(name) if place.types(it)), "")


def _kept_in(name: str, key: str) -> str:
    """The place where the field that the cursor is in keeps a key for itself, or empty."""
    return next((where for where, place, it in _places_of(name) if place.keeps(it, key)), "")


def _places_of(name: str) -> Iterator[tuple[str, Place, Binding]]:
    """The places where a binding is."""
    for where, there in PLACES.items():
        yield from ((where, there, it) for it in there.bindings if it.id == name)


def _keys(binding: Binding, keymap: Mapping[str, str]) -> tuple[str, ...]:
    given = keymap.get(binding.id or "", binding.key).split(",")
    return tuple(_character_to_key(key) if len(key) == 1 else key for key in given)


def _clashes(keymap: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Changes that give one key to two actions of one place, the last of the file first; a key that
    both have at first is meant so."""
    for name in reversed([*keymap]):
        mine = keymap[name].split(",")
        meant = _default(name)
        for where, there in PLACES.items():
            more = PLACES[EVERYWHERE].bindings if where != EVERYWHERE else []
            here = [*there.bindings, *more]
            if name not in {it.id for it in here}:
                continue
            for other in here:
                both = {*meant} & {*_keys(other, {})}
                shared = [it for it in mine if it in _keys(other, keymap) and it not in both]
                if other.id != name and shared:
                    does = f"{other.description} ({other.id})"
                    said = f"{name} cannot be {key_name(shared[0])}, which is {does}, {where}"
                    yield name, f"{said}. {_stays(name)}"
                    return
