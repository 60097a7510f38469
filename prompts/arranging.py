"""Takes out and moves entries of a TOML text together with the comments that stand above them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table


def without_rows(text: str, key: str, count: int, removed: Collection[int]) -> str:
    """The text without the `removed` ones of the `count` tables `[[key]]`, numbered from 0.

    The text as it is where there seem to be more or fewer of them; a string may look like one.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    heads = [i for i, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{key}\s*\]\]", line)]
    if len(heads) != count:
        return text
    ends = [*heads[1:], _next_header(lines, heads[-1])]
    starts = [_with_comments(lines, head) for head in heads]
    stops = [_with_comments(lines, end) for end in ends]
    gone = {i for row in removed for i in range(starts[row], stops[row])}
    return "".join(line for i, line in enumerate(lines) if i not in gone)


def _next_header(lines: Sequence[str], head: int) -> int:
    later = range(head + 1, len(lines))
    return next((i for i in later if re.match(r"\s*\[+\s*[\w\".'-]+", lines[i])), len(lines))


def _with_comments(lines: Sequence[str], at: int) -> int:
    """The first of the comment lines that stand directly above a line."""
    while at and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def reorder(document: TOMLDocument, key: str, names: Sequence[str]) -> None:
    """Put the entries of the table `key` into this order; new ones are empty texts, and those not
    named are left out."""
    import tomlkit
    from tomlkit.items import Table

    table = document[key]
    if not isinstance(table, Table):
        del document[key]
        return
    chunks: dict[str, list[tuple[Any, Any]]] = {}
    pending: list[tuple[Any, Any]] = []
    for name, item in table.value.body:
        pending.append((name, item))
        if name is not None:
            chunks[name.key], pending = pending, []
    arranged = tomlkit.table()
    for part in ("indent", "comment_ws", "comment", "trail"):
        setattr(arranged.trivia, part, getattr(table.trivia, part))
    for wanted in names:
        for name, item in chunks.get(wanted, [(wanted, "")]):
            _append(arranged, name, item)
    for name, item in pending:
        _append(arranged, name, item)
    document[key] = arranged


def _append(table: Table, name: Any, item: Any) -> None:
    if name is None:
        table.add(item)
    else:
        table.append(name, item)
