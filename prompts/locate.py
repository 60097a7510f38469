"""The line of a TOML document on which a key is set."""

from __future__ import annotations

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]


def find_line(text: str, path: Sequence[str | int]) -> int | None:
    """The line, counted from 1, that sets `path`, such as `("examples", 1, "user")`.

    Where the key itself is not on a line of its own (inside an inline table) or is missing, it is
    the line of the nearest enclosing key; None when there is none. `text` must be valid TOML.
    """
    wanted = tuple(path)
    best: tuple[int, int] | None = None
    for line, statement in _statements(text):
        shared = _shared(statement, wanted)
        if shared and (best is None or shared > best[0]):
            best = (shared, line)
    return best[1] if best else None


def _statements(text: str) -> list[tuple[int, Path]]:
    """Every statement's first line and the path it sets.

    A statement of TOML is a document of its own, so its end is where it first parses alone.
    """
    import tomli

    found: list[tuple[int, Path]] = []
    table: Path = ()
    counts: dict[Path, int] = {}
    start, chunk, ends = 1, "", ("",)
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if chunk:
            chunk = f"{chunk}\n{line}"
        else:
            start, chunk, ends = number, line, _ends(line)
        if not any(end in line for end in ends):
            continue
        try:
            parsed = tomli.loads(chunk)
        except tomli.TOMLDecodeError:
            continue
        header = chunk.lstrip().startswith("[")
        chunk = ""
        if not parsed:
            continue
        keys, is_array = _keys(parsed, header=header)
        if header and is_array:
            counts[keys] = counts.get(keys, -1) + 1
            table = (*keys, counts[keys])
        elif header:
            table = keys
        found.append((start, table if header else table + keys))
    return found


def _ends(first_line: str) -> tuple[str, ...]:
    """What the last line of a statement must contain, judged by the start of its value."""
    value = re.search(r"=\s*(\"\"\"|'''|\[|\{)", first_line)
    if value is None:
        return ("",)
    return ("]", "}") if value[1] in "[{" else (value[1],)


def _keys(parsed: dict[str, object], *, header: bool) -> tuple[tuple[str, ...], bool]:
    """The dotted key of one parsed statement, and whether it opens an array of tables."""
    keys: list[str] = []
    value: object = parsed
    while isinstance(value, dict) and len(value) == 1:
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys), header and isinstance(value, list)


def _shared(statement: Path, wanted: Path) -> int:
    """How many leading parts of `wanted` the statement sets; 0 where it sets something else.

    A statement that sets more than was asked for counts: `[output]` may be implied by a dotted
    key `output.stop`.
    """
    shared = 0
    for mine, theirs in zip(statement, wanted, strict=False):
        if mine != theirs:
            break
        shared += 1
    inside = shared == len(statement) or shared == len(wanted)
    return shared if inside else 0
