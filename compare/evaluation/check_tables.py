"""Checks as a suite's file writes them: tables of `[[checks]]`, each of a kind with its own keys."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...prompts.fields import FieldReader, Key
from ...prompts.files import read_side_text
from ...prompts.suggest import did_you_mean
from ..checks.amounts import Length, Number
from ..checks.code import code_of
from ..checks.judge import Judge
from ..checks.likelihood import Likelihood
from ..checks.likeness import Likeness, Measure
from ..checks.result import Check
from ..checks.structure import Json, Pattern, Schema
from ..checks.wording import Contains, Exact, Normalised, OneOf
from .suite import NamedCheck

COMMON = ("check", "name", "weight")
AGAINST = ("expected", "baseline")
MOST_SAID = 300
UNITS = ("words", "tokens", "characters")


@dataclass(frozen=True)
class Table:
    """One table of `[[checks]]`, read key by key with errors that say where they are."""

    reader: FieldReader
    table: Mapping[str, Any]
    at: Key

    def fail(self, key: str, must: str) -> Exception:
        return self.reader.fail((*self.at, key), f"{key} must be {must}")

    def text(self, key: str) -> str | None:
        """A text; None where there is none."""
        return self.reader.text_at(self.table, (*self.at, key)) if key in self.table else None

    def needed(self, key: str) -> str:
        text = self.text(key)
        if not text:
            raise self.reader.fail(self.at, f"this check needs {key}")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, of one where a text stands alone."""
        value = self.table.get(key, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(it, str) and it for it in found):
            raise self.fail(key, 'a text or a list of texts, for example ["one", "two"]')
        return tuple(found)

    def flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def number(self, key: str, default: float | None, least: float | None = 0.0) -> float | None:
        value = self.table.get(key, default)
        if value is default:
            return default
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or abs(value) == float("inf") or value != value:
            raise self.fail(key, "a number")
        if least is not None and value < least:
            raise self.fail(key, f"{least:g} or more")
        return float(value)

    def whole(self, key: str, default: int | None) -> int | None:
        if key not in self.table:
            return default
        return self.reader.number_at(self.table, (*self.at, key), 0)


def read_checks(reader: FieldReader, table: Mapping[str, object]) -> tuple[NamedCheck, ...]:
    """The checks of a suite. Raises PromptError."""
    found = table.get("checks")
    if not isinstance(found, list) or not found:
        raise reader.missing("checks", "there is no [[checks]]; say what makes an answer good")
    checks = tuple(_check(reader, each, ("checks", i)) for i, each in enumerate(found))
    names = [check.name for check in checks]
    for i, name in enumerate(names):
        if names.index(name) < i:
            raise reader.fail(("checks", i), f"two checks are called {name}; give one a name")
    rubrics = [check.check.rubric for check in checks if isinstance(check.check, Judge)]
    if len(set(rubrics)) < len(rubrics):
        raise reader.fail(("checks",), "two judges have the same rubric; give each its own")
    if not any(check.weight for check in checks):
        raise reader.fail(("checks",), "all checks have the weight 0, so nothing would be counted")
    return checks


def beside(reader: FieldReader, name: str) -> str:
    """A name from the catalog or the library as it is; a path from the folder of the suite."""
    path, at, scale = name.rpartition("@") if "@" in name else (name, "", "")
    is_file = path.endswith((".gguf", ".toml")) or path.startswith((".", "/", "~"))
    if not (is_file or "/" in path) or reader.path is None:
        return name
    home = os.path.expanduser(path)  # noqa: PTH111 - Path's raises for ~nobody
    found = (reader.path.parent.resolve() / home).resolve()
    return f"{found}{at}{scale}" if is_file or found.exists() else name


def _check(reader: FieldReader, value: object, at: Key) -> NamedCheck:
    if not isinstance(value, dict):
        raise reader.fail(at, 'a check must be a table, such as [[checks]] check = "exact"')
    table = Table(reader, value, at)
    kind = table.needed("check")
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"; there are {', '.join(KINDS)}"
        raise reader.fail((*at, "check"), f"there is no check {kind}{hint}")
    make, keys = KINDS[kind]
    reader.only(value, at, (*COMMON, *keys))
    weight = table.number("weight", 1.0)
    assert weight is not None
    name = table.text("name")
    if name is not None and not (name.strip() and name.isprintable()):
        raise table.fail("name", "one line of visible text")
    return NamedCheck(name or kind, make(table), weight)


def _contains(table: Table) -> Check:
    return Contains(table.texts("values"), table.flag("ignore_case"), table.flag("without"))


def _pattern(table: Table) -> Check:
    pattern = table.needed("pattern") if "pattern" in table.table else None
    try:
        re.compile(pattern or "")
    except (re.error, OverflowError, RecursionError) as error:
        raise table.fail("pattern", f"a regular expression: {error}") from None
    return Pattern(pattern, table.flag("ignore_case"), table.flag("whole"))


def _one_of(table: Table) -> Check:
    labels = table.texts("labels")
    if not labels:
        raise table.reader.fail(table.at, "this check needs labels")
    value = table.text("value")
    if value is not None and value not in labels:
        raise table.fail("value", f"one of the labels, {', '.join(labels)}")
    return OneOf(labels, value)


def _number(table: Table) -> Check:
    tolerance, relative = (table.number(key, 0.0) or 0.0 for key in ("tolerance", "relative"))
    return Number(table.number("value", None, None), tolerance, relative)


def _schema(table: Table) -> Check:
    value = table.table.get("schema")
    if isinstance(value, dict):
        table.reader.plain((*table.at, "schema"), value)
        return _valid(table, value)
    if not isinstance(value, str) or not value.endswith(".json"):
        raise table.fail("schema", "a table or the name of a .json file")
    import json

    path = table.reader.beside((*table.at, "schema"), value)
    try:
        schema = json.loads(read_side_text(path, "schema"))
    except (ValueError, RecursionError) as error:
        raise table.reader.fail((*table.at, "schema"), f"{value}: {error}") from None
    if not isinstance(schema, dict | bool):
        raise table.fail("schema", "a JSON object")
    return _valid(table, schema)


def _valid(table: Table, schema: Any) -> Check:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema, Draft202012Validator).check_schema(schema)
    except (SchemaError, RecursionError) as error:
        said = error.message if isinstance(error, SchemaError) else "it is nested too deeply"
        raise table.fail("schema", f"a JSON Schema: {said}"[:MOST_SAID]) from None
    return Schema(schema)


def _length(table: Table) -> Check:
    unit = table.text("unit") or "words"
    if unit not in UNITS:
        raise table.fail("unit", f"one of {', '.join(UNITS)}")
    least, most = table.whole("least", 0) or 0, table.whole("most", None)
    if most is not None and most < least:
        raise table.fail("most", f"at least {least}, as least is")
    return Length(least, most, unit)


def _likeness(measure: Measure) -> Callable[[Table], Check]:
    return lambda table: Likeness(measure, table.text("value"))


def _judge(table: Table) -> Check:
    model, adapter = (beside(table.reader, table.text(key) or "") for key in ("model", "adapter"))
    against = table.text("against") or AGAINST[0]
    if against not in AGAINST:
        raise table.fail("against", f"one of {', '.join(AGAINST)}")
    return Judge(table.needed("rubric"), model, adapter, against == "baseline")


def _code(table: Table) -> Check:
    given = table.needed("function")
    file, colon, function = given.rpartition(":")
    if not colon or not file.endswith(".py") or not function.isidentifier():
        raise table.fail("function", f"path.py:name, not {given}")
    path: Path = table.reader.beside((*table.at, "function"), file)
    if not path.is_file():
        raise table.reader.fail((*table.at, "function"), f"there is no file {path}")
    try:
        return code_of(path, function)
    except OSError as error:
        said = f"{path} cannot be read: {error.strerror}"
        raise table.reader.fail((*table.at, "function"), said) from None


KINDS: Mapping[str, tuple[Callable[[Table], Check], tuple[str, ...]]] = {
    "exact": (lambda table: Exact(table.text("value")), ("value",)),
    "same": (lambda table: Normalised(table.text("value")), ("value",)),
    "contains": (_contains, ("values", "ignore_case", "without")),
    "pattern": (_pattern, ("pattern", "ignore_case", "whole")),
    "one-of": (_one_of, ("labels", "value")),
    "number": (_number, ("value", "tolerance", "relative")),
    "json": (lambda table: Json(), ()),
    "schema": (_schema, ("schema",)),
    "length": (_length, ("least", "most", "unit")),
    "characters": (_likeness("characters"), ("value",)),
    "chrf": (_likeness("chrf"), ("value",)),
    "bleu": (_likeness("bleu"), ("value",)),
    "words": (_likeness("words"), ("value",)),
    "likelihood": (lambda table: Likelihood(), ()),
    "judge": (_judge, ("rubric", "against", "model", "adapter")),
    "code": (_code, ("function",)),
}
"""The check that each kind makes, and the keys it takes beside `COMMON`."""
