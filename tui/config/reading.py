"""What a person has set: the file, and the environment over it, with what is wrong in either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ..paths import is_there
from ..safe_text import safe_line
from .schema import SETTINGS, Config, Setting

NAME = "config.toml"
TABLES = ("keys", "models")
"""The tables of the file: keys by the ids of bindings, and models with settings of their own."""

_Wrong = tuple[str, Setting, object, ValueError]
"""Where a value stands that its setting cannot have, and why."""


@dataclass(frozen=True)
class Configured:
    """The settings as they are.

    `sources` says where a value comes from that is not the default: the file, an environment
    variable, or an option. `models` are settings that a model has of its own, by its name.
    `keys` are keys by the ids of bindings as the file has them, not checked. `problems` are
    sentences; what they speak of is as if it was not set. `text` is what the file said. Without a
    `path` nothing is read or written.
    """

    config: Config = field(default_factory=Config)
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    keys: Mapping[str, object] = field(default_factory=dict[str, object])
    problems: tuple[str, ...] = ()
    path: Path | None = None
    text: str = ""

    def given(self, options: Mapping[str, Any]) -> Configured:
        """These settings with those that options of the command line give."""
        sources = {name: SETTINGS[name].option for name in options}
        config = replace(self.config, **options)
        return replace(self, config=config, sources={**self.sources, **sources})

    def fixed(self, name: str) -> str:
        """The environment variable or option that the file does not come up to, or empty."""
        source = self.sources.get(name, "")
        return "" if source == NAME else source


def read_config(path: Path, environment: Mapping[str, str]) -> Configured:
    """The settings of a file and an environment; one that is wrong has its default, and is told of."""
    problems: list[str] = []
    wrong: list[_Wrong] = []
    text, table = _table(path, problems)
    values, sources = dict[str, Any](), dict[str, str]()
    for name, value in table.items():
        setting = SETTINGS.get(name)
        if setting is None:
            if name not in TABLES or not isinstance(value, dict):
                problems.append(_unknown(path, text, (name,), (*SETTINGS, *TABLES)))
            continue
        try:
            values[name], sources[name] = setting.kind.read(value), NAME
        except ValueError as error:
            wrong.append((place(path, text, (name,)), setting, value, error))
    for name, setting in SETTINGS.items():
        given = environment.get(setting.env, "")
        if not given.strip():
            continue
        try:
            values[name], sources[name] = setting.kind.parse(given), setting.env
        except ValueError as error:
            wrong.append((setting.env, setting, given, error))
    own = {name: it for name, it in table.items() if name in TABLES and isinstance(it, dict)}
    models = _models(path, text, own.get("models", {}), problems, wrong)
    for where, setting, value, error in wrong:
        said = setting.kind.written(values.get(setting.name, setting.default))
        source = sources.get(setting.name)
        used = f"{said} of {source}" if source else f"The default, {said},"
        problems.append(f"{_wrong(where, setting, value, error)} {used} is used.")
    keys = dict(flattened(own.get("keys", {})))
    return Configured(Config(**values), sources, models, keys, tuple(problems), path, text)


def _table(path: Path, problems: list[str]) -> tuple[str, Mapping[str, Any]]:
    """The file's text and what it says; nothing where it is not there or broken."""
    if not is_there(path):
        return "", {}
    from ...prompts.errors import PromptError
    from ...prompts.fields import parse_table
    from ...prompts.files import read_side_text

    try:
        text = read_side_text(path, "settings")
        return text, parse_table(text, str(path))
    except PromptError as error:
        problems.append(f"{safe_line(str(error)).rstrip('.')}; no setting of it is used.")
        return "", {}


def _models(
    path: Path, text: str, tables: Mapping[str, Any], problems: list[str], wrong: list[_Wrong]
) -> dict[str, dict[str, Any]]:
    """What models have of their own; what is wrong is noted in the two lists."""
    known = [name for name, setting in SETTINGS.items() if setting.per_model]
    found: dict[str, dict[str, Any]] = {}
    for model, table in tables.items():
        if not isinstance(table, dict):
            where = place(path, text, ("models", model))
            problems.append(f'{where}: write a model\'s own settings as [models."{model}"].')
            continue
        for name, value in cast("dict[str, Any]", table).items():
            at = ("models", model, name)
            if name not in known:
                problems.append(_unknown(path, text, at, known))
                continue
            try:
                found.setdefault(model, {})[name] = SETTINGS[name].kind.read(value)
            except ValueError as error:
                wrong.append((place(path, text, at), SETTINGS[name], value, error))
    return found


def flattened(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """The values of a table by dotted names, however they are written."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flattened(cast("dict[str, Any]", value), f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def place(path: Path, text: str, keys: tuple[str, ...]) -> str:
    """The file and the line that sets something."""
    from ...prompts.locate import find_line

    line = find_line(text, keys)
    return safe_line(str(path) if line is None else f"{path}, line {line}")


def _unknown(
    path: Path, text: str, keys: tuple[str, ...], known: tuple[str, ...] | list[str]
) -> str:
    from ...prompts.suggest import did_you_mean

    near = did_you_mean(keys[-1], known)
    hint = near or f"; there are {', '.join(known)}."
    return f"{place(path, text, keys)}: there is no setting {safe_line(keys[-1])}{hint}"


def _wrong(where: str, setting: Setting, value: object, error: ValueError) -> str:
    said = f"{value!r}" if len(f"{value!r}") <= 60 else f"{value!r}"[:60] + "…"
    return f"{where}: {setting.name} cannot be {safe_line(said)}. {error}."
