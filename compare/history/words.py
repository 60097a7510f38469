"""Words in what a history holds: what a person typed of them, and which outputs have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite3 import Connection

_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese
and Chinese. The index holds a whole stretch of them as one word."""

_SOURCES = {"texts": ("texts_words", "text"), "rendered": ("asked_words", "asked")}
"""By table the index of its words, and the column these are in."""


def terms(text: str) -> list[str]:
    """Words, and what stands in quotes, without what no index holds."""
    found = [quoted or word for quoted, word in re.findall(r'"([^"]*)"?|([^\s"]+)', text)]
    return [term for term in found if re.search(r"\w", term)]


def pattern(term: str, *, whole: bool = False) -> str:
    """A regular expression of where a term is: at the beginning of a word, where its script has
    such, and with all of that word if `whole`."""
    if _UNSPACED.search(term):
        return re.escape(term)
    return rf"\b{re.escape(term)}" + r"\w*" * whole


def place_of(text: str, words: Iterable[str]) -> int | None:
    """Where the first of the words is; None when none is."""
    for term in words:
        if match := re.search(pattern(term), text, re.IGNORECASE):
            return match.start()
    return None


def anywhere(text: str) -> str:
    """A LIKE pattern, with \\ for escape, of what has the text in it."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"


def found(
    connection: Connection, text: str, conditions: list[str], values: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    """The rows of outputs that say all of the words or were asked with them, and of their runs.

    The newest come first, and are looked for only as far as they are taken: a word that half of all
    outputs have costs no more than another. What the index holds no part of is read for in all that
    have the other words.
    """
    indexed = "SELECT 1 FROM sqlite_schema WHERE name = 'texts_words'"
    has_index = connection.execute(indexed).fetchone() is not None
    words = [term for term in terms(text) if has_index and not _UNSPACED.search(term)]
    others = [term for term in terms(text) if term not in words]
    values = values | {f"w{i}": anywhere(term) for i, term in enumerate(others)}
    values["words"] = _query(text, words)

    def source(name: str) -> tuple[str, str]:
        index, column = _SOURCES[name]
        tests = [f"w.{column} LIKE :w{i} ESCAPE '\\'" for i in range(len(others))]
        tests += [f"{index} MATCH :words"] if words else []
        return f"{index if words else name} w", " AND ".join(tests)

    run = "CROSS JOIN variants v ON v.id = o.variant CROSS JOIN runs r ON r.id = v.run WHERE "
    also = " AND ".join(conditions)
    texts, said_so = source("texts")
    rendered, asked_so = source("rendered")
    said = connection.execute(
        f"SELECT o.id, r.id FROM {texts} CROSS JOIN outputs o ON o.id = w.rowid {run}"
        f"{said_so} AND {also} ORDER BY w.rowid DESC",
        values,
    )
    with_prompt = connection.execute(
        f"SELECT id FROM outputs WHERE rendered IN (SELECT w.rowid FROM {rendered} "
        f"WHERE {asked_so}) ORDER BY id DESC",
        values,
    )
    wanted = f"SELECT o.id, r.id FROM outputs o {run}o.id = :row AND {also}"
    asked = (
        pair
        for (row,) in with_prompt
        for pair in connection.execute(wanted, values | {"row": row}).fetchall()
    )
    last = None
    for row in merge(said, asked, reverse=True):
        if row != last:
            yield row
        last = row


def _query(text: str, words: Iterable[str]) -> str:
    """Words in FTS5's language (https://www.sqlite.org/fts5.html, section 3)."""
    phrases = ['"{}"'.format(term.replace('"', '""')) for term in words]
    unfinished = not text.endswith(('"', " ")) and terms(text)[-1:] == [*words][-1:]
    return " ".join(phrases) + "*" * unfinished
