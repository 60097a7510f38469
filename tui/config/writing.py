"""The settings file, changed with its comments kept, or written with all there is to set."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from ...prompts.errors import PromptError
from ...prompts.fields import parse_table
from ...prompts.files import as_text, read_bytes
from ...prompts.replacing import held, replace_file
from ..paths import private
from .schema import GROUPS, SETTINGS, Setting

_TRIES = 20
"""How often the file may be changed by others while a setting is written."""
_TAKEN_OUT = "llamadiff takes this line out"
_TAKEN_OUT_LINE = re.compile(
    rf'^[^\n]*= *"{_TAKEN_OUT}"[ \t]*(?:(#[^\n]*\n?)|\r?\n|$)', re.MULTILINE
)
"""That line, of which what a person noted beside it stays."""


def write_setting(path: Path, name: str, value: Any) -> None:
    """Set one setting in the file, or take it out of it where the value is the default.

    All else stays as it is written. Raises PromptError for a file that cannot be written, and for
    one that is not valid TOML, which is left as it is.
    """
    path = path.resolve()
    _make_folder(path)
    with held(path.parent):
        for _ in range(_TRIES):
            seen = read_bytes(path, "settings") if path.exists() else None
            text = as_text(seen or b"", path, "settings")
            data = _with(text, str(path), SETTINGS[name], value).encode()
            if data == (seen or b"") or replace_file(path, data, seen):
                return
    raise PromptError(f"{path} keeps being changed by another program", source=str(path))


def write_default(path: Path) -> None:
    """Write a file with all settings in comments. Raises PromptError, also where there is one."""
    _make_folder(path)
    if not replace_file(path, default_text().encode(), None):
        raise PromptError(f"{path} is there already and is left as it is", source=str(path))


def _make_folder(path: Path) -> None:
    try:
        private(path.parent)
    except OSError as error:
        raise PromptError(f"{path} cannot be written: {error.strerror}", source=str(path)) from None


def _with(text: str, source: str, setting: Setting, value: Any) -> str:
    """The file's text with another value of a setting, below a comment that gives one."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    name = setting.name
    table = parse_table(text, source)
    line = re.search(rf"^#\s*{name}\s*=.*$", text, re.MULTILINE)
    if line and name not in table and value != setting.default:
        at = line.end()
        below = f"{text[:at]}\n{_line(setting, value)}{text[at:]}"
        if name in parse_table(below, source):  # the comment is in none of the tables
            return below
    try:
        document = tomlkit.parse(text)
        if value == setting.default:
            if name in document:
                document[name] = _TAKEN_OUT
            return _TAKEN_OUT_LINE.sub(r"\1", tomlkit.dumps(document))
        document[name] = list(value) if isinstance(value, tuple) else value
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise PromptError(f"{source} cannot be changed: {error}", source=source) from None


def _line(setting: Setting, value: Any) -> str:
    return f"{setting.name} = {setting.kind.written(value)}"


def default_text() -> str:
    """A file that sets nothing and says what could be set."""
    lines = ["# Settings of llamadiff. Take the # away before a line to change it."]
    for group, title in GROUPS.items():
        lines += ["", f"# ── {title} ──"]
        for setting in (it for it in SETTINGS.values() if it.group == group):
            lines += [
                "",
                *_comment(setting.about),
                *_comment(f"Accepted: {setting.kind.accepted}."),
            ]
            lines += [f"# {_line(setting, setting.default)}"]
    return "\n".join([*lines, *_TABLES, ""])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, 90, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


_TABLES = (
    "",
    "# ── Keys, by what they do: `llamadiff settings --keys` lists all ──",
    "",
    "# [keys]",
    '# "run.start" = ["f5", "ctrl+r"]',
    "",
    "# ── Settings that one model has of its own, by its name in `llamadiff models` ──",
    "",
    '# [models."name"]',
    "# context = 8192",
)
