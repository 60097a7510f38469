"""A TOML document given other content: what stays the same stays written as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import PromptError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item

_CONTROLS = dict.fromkeys([*range(32), 127], "\\u{:04x}")
_ESCAPES = {code: form.format(code) for code, form in _CONTROLS.items()} | str.maketrans(
    {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
)
"""What stands for a character in a basic string, by its number (TOML 1.0, "String")."""
_ESCAPES_ON_LINES = {code: it for code, it in _ESCAPES.items() if chr(code) not in '\t\n"'}
_MULTILINE = ("description", "system", "user", "prefill", "content", "assistant", "grammar")


def updated(document: TOMLDocument, table: Mapping[str, Any]) -> str:
    """The document's text after it was given exactly the table's content. Raises PromptError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        _update(document, table, _section)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise PromptError(f"the prompt cannot be written as TOML: {error}") from None


def _update(container: Any, table: Mapping[str, Any], make: Callable[[str, object], Item]) -> None:
    """Make a tomlkit table hold what `table` holds, touching only what differs.

    `make` gives the item for a key that is new or of another kind than before.
    """
    for key in [key for key in container if key not in table]:
        del container[key]
    for key, value in table.items():
        old = container.get(key)
        if old is not None and same(_plain(old), value):
            continue
        if isinstance(old, dict) and isinstance(value, Mapping):
            _update(old, value, _value)
        elif are_tables(old) and are_tables(value):
            _update_rows(old, value)
        else:
            container[key] = make(key, value)


def _update_rows(rows: Any, wanted: list[Any]) -> None:
    from tomlkit.items import AoT

    for mine, theirs in zip(rows, wanted, strict=False):
        _update(mine, theirs, _value)
    while len(rows) > len(wanted):
        del rows[-1]
    for added in wanted[len(rows) :]:
        rows.append(_section("", added) if isinstance(rows, AoT) else _value("", added))


def _plain(item: Any) -> object:
    """A tomlkit item as plain data; its booleans are plain already."""
    return item.unwrap() if hasattr(item, "unwrap") else item


def same(old: object, new: object) -> bool:
    """Equality that tells `1` from `1.0` and from `true`, as TOML does."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return type(old) is type(new) and old == new


def are_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _section(key: str, value: object) -> Item:
    """A value at the top of the document: tables get a header of their own."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.table()
        for name, inner in value.items():
            table.add(name, _value(name, inner))
        return table
    if isinstance(value, list) and are_tables(value):
        rows = tomlkit.aot()
        for row in value:
            rows.append(_section("", row))
        return rows
    return _value(key, value)


def _value(key: str, value: object) -> Item:
    """A value inside a table, on one line unless it is text for a person to edit."""
    import tomlkit
    from tomlkit.items import String, StringType, Trivia

    match value:
        case None:
            raise PromptError(
                "TOML has no null: put this JSON Schema in a .json file and name it in the "
                "prompt's output.schema",
                field="output.schema",
            )
        case str() if key in _MULTILINE and _reads_well_on_lines(value):
            lines = value.translate(_ESCAPES_ON_LINES).replace('"""', '""\\"')
            return String(StringType.MLB, value, f"\n{lines}", Trivia())
        case str():  # tomlkit's own escaping takes longer by the square of the length
            return String(StringType.SLB, value, value.translate(_ESCAPES), Trivia())
        case Mapping():
            table = tomlkit.inline_table()
            for name, inner in value.items():
                table.add(name, _value(name, inner))
            return table
        case list():
            array = tomlkit.array()
            for inner in value:
                array.append(_value("", inner))
            return array
        case _:
            return tomlkit.item(value)


def _reads_well_on_lines(text: str) -> bool:
    return "\n" in text and not text.startswith("\n") and "\r" not in text
