"""What of a dataset's rows is asked of variants, and expected: by this planned rows are known again."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from ..statistics.splitting import chooses
from ..variants import Variant
from .rows import EQUAL, SuiteRow, columns_of

_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def asked_columns(variants: Iterable[Variant], rows: Sequence[SuiteRow]) -> frozenset[str]:
    """The columns that the prompts of these variants use; a column need not be in every row."""
    columns = columns_of(rows)
    return frozenset(name for it in variants for name in _used(it, columns))


def _used(variant: Variant, columns: Collection[str]) -> list[str]:
    """Those that its templates name, and it has no value of its own for."""
    texts = (text for _, _, text in variant.prompt.text_fields())
    inside = " ".join(it for text in texts for it in _TEMPLATE.findall(text))
    names = set(re.findall(r"(?<![\w.])\w+", inside))
    return [it for it in columns if it in names and it not in variant.values]


def question(row: SuiteRow, columns: Collection[str]) -> str:
    """A hash of what these columns say, of the turns after the prompt and of what is expected."""
    said = [[name, row.values[name]] for name in sorted(columns) if name in row.values]
    text = json.dumps([said, row.turns, row.expected, "asked 1"], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def question_keys(rows: Iterable[SuiteRow], columns: Collection[str]) -> dict[str, str]:
    """By the key of each row its `question`, with a number where an earlier line asks the same."""
    seen = Counter[str]()
    found: dict[str, str] = {}
    for row in sorted(rows, key=lambda it: it.line):
        asked = question(row, columns)
        seen[asked] += 1
        found[row.key] = asked if seen[asked] == 1 else f"{asked}{EQUAL}{seen[asked]}"
    return found


def halves(rows: Sequence[SuiteRow], candidates: Sequence[Variant]) -> dict[str, bool]:
    """By the key of each row whether it is of the half by which one of the candidates is picked.

    Rows that ask them the same are on the same side.
    """
    columns = asked_columns(candidates, rows)
    return {row.key: chooses(question(row, columns)) for row in rows}
