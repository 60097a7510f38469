"""Reads a suite's file: its keys, with errors that name the file, the line and what would do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...models.engine.samplers import FIELDS
from ...prompts.datasets import SUFFIXES
from ...prompts.fields import FieldReader, Key, parse_table
from ...prompts.files import as_text, read_bytes
from ..spec import KEYS, parse_spec
from ..statistics.figures import MARGIN
from .check_tables import beside, read_checks
from .expression import Expression, ExpressionError, parse_expression
from .suite import DatasetSpec, Suite, VariantSpec

_TOP = (
    "name", "description", "dataset", "defaults", "variants", "checks", "baseline", "repeats",
    "planned", "margin", "exact", "require", "elsewhere",
)  # fmt: skip
_DATASET = ("file", "columns", "where", "tags", "sample", "seed")
_SETTINGS = (*FIELDS, "logit_bias", "samplers")
_WHOLE = ("logit_bias", "samplers")
"""Settings whose value is itself a list or a table."""
_DEFAULTS = ("model", "prompt", "adapter", *_SETTINGS)
_VARIANT = (*KEYS, "spec", "scale", "values", *_SETTINGS)
MOST_REPEATS = 1000


def load_suite(path: Path) -> Suite:
    """The suite in a file. Raises PromptError."""
    return parse_suite(as_text(read_bytes(path, "suite"), path, "suite"), path)


def parse_suite(text: str, path: Path) -> Suite:
    """The suite that a text says, as if it were in the file `path`. Raises PromptError."""
    reader = FieldReader(text, str(path), path)
    table = parse_table(text, str(path))
    reader.only(table, (), _TOP)
    checks, defaults = read_checks(reader, table), _defaults(reader, table)
    from ..checks.code import Code

    return Suite(
        name=reader.name(table) if "name" in table else path.stem,
        path=path,
        description=reader.text_at(table, ("description",)),
        dataset=_dataset(reader, table),
        variants=_variants(reader, table, defaults),
        defaults=defaults,
        checks=checks,
        baseline=reader.text_at(table, ("baseline",)),
        repeats=_repeats(reader, table),
        planned=reader.number_at(table, ("planned",), 1) if "planned" in table else None,
        margin=_margin(reader, table),
        exact=_flag(reader, table, "exact"),
        require=_requirements(reader, table),
        elsewhere=_elsewhere(reader, table),
        code=tuple(it.check.path for it in checks if isinstance(it.check, Code)),
        text=text,
    )


def _elsewhere(reader: FieldReader, table: Mapping[str, object]) -> tuple[str, ...]:
    """Names of suites that ship; paths as seen from the suite's folder."""
    found = _texts(reader, ("elsewhere",), table.get("elsewhere", []))
    paths = (it if not _is_path(it) else str(reader.beside(("elsewhere",), it)) for it in found)
    return tuple(dict.fromkeys(paths))


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith(".toml")


def _repeats(reader: FieldReader, table: Mapping[str, object]) -> int:
    count = reader.number_at(table, ("repeats",), 1) if "repeats" in table else 1
    if count > MOST_REPEATS:
        raise reader.fail(("repeats",), f"repeats must be at most {MOST_REPEATS:,}")
    return count


def _margin(reader: FieldReader, table: Mapping[str, object]) -> float:
    margin = table.get("margin", MARGIN)
    if not isinstance(margin, int | float) or isinstance(margin, bool) or not 0 <= margin < 1:
        raise reader.fail(("margin",), "margin must be a share from 0 to below 1, such as 0.05")
    return float(margin)


def _flag(reader: FieldReader, table: Mapping[str, object], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise reader.fail((key,), f"{key} must be true or false")
    return value


def _dataset(reader: FieldReader, table: Mapping[str, object]) -> DatasetSpec:
    if isinstance(table.get("dataset"), str):
        return DatasetSpec(_file(reader, ("dataset",), reader.text_at(table, ("dataset",))))
    if "dataset" not in table:
        raise reader.missing("dataset", 'there is no dataset; write dataset = "rows.jsonl"')
    given = reader.table_at(table, "dataset")
    reader.only(given, ("dataset",), _DATASET)
    file = reader.text_at(given, ("dataset", "file"))
    if not file:
        raise reader.fail(("dataset",), 'dataset needs a file, such as file = "rows.jsonl"')
    tags = given.get("tags", [])
    return DatasetSpec(
        _file(reader, ("dataset", "file"), file),
        _columns(reader, given),
        _where(reader, given),
        _texts(reader, ("dataset", "tags"), tags),
        reader.number_at(given, ("dataset", "sample"), 1) if "sample" in given else None,
        reader.number_at(given, ("dataset", "seed"), 0) if "seed" in given else 0,
    )


def _file(reader: FieldReader, at: Key, name: str) -> Path:
    path: Path = reader.beside(at, name)
    if path.suffix.lower() not in SUFFIXES:
        raise reader.fail(at, f"{name} is no dataset: its name must end in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise reader.fail(at, f"there is no file {path}")
    return path


def _texts(reader: FieldReader, at: Key, value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(it, str) and it for it in found):
        raise reader.fail(at, f"{at[-1]} must be a text or a list of texts")
    return tuple(found)


def _columns(reader: FieldReader, given: Mapping[str, object]) -> dict[str, str]:
    at: Key = ("dataset", "columns")
    columns = given.get("columns", {})
    if not isinstance(columns, dict):
        raise reader.fail(at, 'columns must be a table, such as { review = "text" }')
    return {name: reader.text_at(columns, (*at, name)) for name in columns}


def _where(reader: FieldReader, given: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    at: Key = ("dataset", "where")
    where = given.get("where", {})
    if not isinstance(where, dict):
        raise reader.fail(at, 'where must be a table, such as { language = ["en", "fr"] }')
    return {name: _texts(reader, (*at, name), value) for name, value in where.items()}


# ------------------------------------------------------------------------- variants


def _variants(
    reader: FieldReader, table: Mapping[str, object], defaults: Mapping[str, object]
) -> tuple[VariantSpec, ...]:
    found = table.get("variants", [])
    if not isinstance(found, list):
        raise reader.fail(("variants",), "variants must be a list of tables, [[variants]]")
    return tuple(
        _variant(reader, each, ("variants", i), defaults) for i, each in enumerate(found or [{}])
    )


def _defaults(reader: FieldReader, table: Mapping[str, object]) -> dict[str, object]:
    defaults = reader.table_at(table, "defaults")
    reader.only(defaults, ("defaults",), _DEFAULTS)
    return {key: _single(reader, ("defaults", key), key, it) for key, it in defaults.items()}


def _variant(
    reader: FieldReader, value: object, at: Key, defaults: Mapping[str, object]
) -> VariantSpec:
    given = _spec(reader, value, at) if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise reader.fail(at, 'a variant must be a table, or a text such as "adapter=support@0.8"')
    reader.only(given, at, _VARIANT)
    if "spec" in given:
        if len(given) > 1:
            raise reader.fail((*at, "spec"), "beside spec there can be no other keys")
        given = _spec(reader, reader.text_at(given, (*at, "spec")), at)
    axes: dict[str, tuple[object, ...]] = {}
    for key, choices in given.items():
        if key == "values":
            axes |= _values(reader, choices, (*at, key))
        elif key != "label":
            axes[key] = _choices(reader, (*at, key), key, choices)
    if "scale" in axes:
        if "adapter" not in axes and "adapter" in defaults:
            axes["adapter"] = (defaults["adapter"],)
        _check_scale(reader, at, axes)
    return VariantSpec(reader.text_at(given, (*at, "label")), axes)


def _spec(reader: FieldReader, text: str, at: Key) -> dict[str, object]:
    from ..errors import CompareError

    try:
        return dict(parse_spec(text))
    except CompareError as error:
        raise reader.fail(at, str(error)) from None


def _choices(reader: FieldReader, at: Key, key: str, value: object) -> tuple[object, ...]:
    """The alternatives that a key lists, or the one it gives."""
    if isinstance(value, list) and key not in _WHOLE:
        if not value:
            raise reader.fail(at, f"{key} lists no values")
        return tuple(_single(reader, at, key, each) for each in value)
    return (_single(reader, at, key, value),)


def _single(reader: FieldReader, at: Key, key: str, value: object) -> object:
    """A value that names something as a path beside the suite's file, where that is what it is;
    the value of a setting as it will be used."""
    from ...models.errors import ModelError
    from ..errors import CompareError

    if key in ("model", "prompt", "adapter"):
        if not isinstance(value, str):
            raise reader.fail(at, f"{key} must be text in quotes")
        return "+".join(beside(reader, part) for part in value.split("+"))
    if key == "scale":
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise reader.fail(at, "scale must be a number, or a list of numbers")
        return float(value)
    try:
        from ..spec import setting

        return setting(key, value)
    except (ModelError, CompareError) as error:
        raise reader.fail(at, str(error)) from None


def _values(reader: FieldReader, value: object, at: Key) -> dict[str, tuple[object, ...]]:
    if not isinstance(value, dict):
        raise reader.fail(at, 'values must be a table, such as { tone = ["warm", "brief"] }')
    axes: dict[str, tuple[object, ...]] = {}
    for name, choices in value.items():
        axes[f"values.{name}"] = _texts(reader, (*at, name), choices)
        if not axes[f"values.{name}"]:
            raise reader.fail((*at, name), f"{name} lists no values")
    return axes


def _check_scale(reader: FieldReader, at: Key, axes: Mapping[str, tuple[object, ...]]) -> None:
    for stack in axes.get("adapter", ("none",)):
        name = str(stack)
        if name == "none" or "+" in name or "@" in name:
            raise reader.fail(
                (*at, "scale"),
                "scale needs one adapter without a scale of its own; write adapter = "
                '"NAME@0.5" for each instead',
            )


# --------------------------------------------------------------------- requirements


def _requirements(reader: FieldReader, table: Mapping[str, object]) -> tuple[Expression, ...]:
    found = table.get("require", [])
    if not isinstance(found, list):
        raise reader.fail(("require",), "require must be a list of tables, [[require]]")
    return tuple(_requirement(reader, each, ("require", i)) for i, each in enumerate(found))


def _requirement(reader: FieldReader, value: object, at: Key) -> Expression:
    if isinstance(value, dict):
        reader.only(value, at, ("that",))
        value = reader.text_at(value, (*at, "that"))
    if not isinstance(value, str) or not value.strip():
        raise reader.fail(at, 'a requirement is that = "tuned.difference_low > -2 points"')
    try:
        return parse_expression(value)
    except ExpressionError as error:
        raise reader.fail(at, f"{value!r}: {error}") from None
