"""A prompt as it is kept: its canonical form, the hash of that, and a form for people to compare.

The canonical form is JSON of what is not left at its default. TOML would be another spelling of
the same, but cannot hold every prompt that runs (a schema with null, half a character typed), takes
tomlkit seconds for a long prompt, and would change its hash with that library.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time
from pathlib import Path
from textwrap import indent
from typing import Any

import msgspec

from ...prompts.document import Prompt
from ..errors import CompareError


def identity(prompt: Prompt) -> str:
    """What versions and drafts of a prompt are filed under: its file, or its slug without one."""
    return file_key(prompt.path) if prompt.path else _printable(prompt.slug)


def file_key(path: Path) -> str:
    """The same for all paths of a file."""
    return _printable(os.path.realpath(path))


def _printable(key: str) -> str:
    return key.encode("utf-8", "backslashreplace").decode()


def canonical(prompt: Prompt) -> bytes:
    """The same bytes for equal prompts, different ones for others; TOML's dates become texts."""
    return json.dumps(_plain(prompt), separators=(",", ":")).encode()


def digest(content: bytes) -> str:
    """SHA-256 of a canonical form, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack(content: bytes) -> bytes:
    return zlib.compress(content)


def unpack(blob: bytes, path: Path | None = None) -> Prompt:
    """The prompt of a packed canonical form, said to be from the file `path`.

    Raises CompareError for what is none.
    """
    try:
        content = zlib.decompress(blob)
    except zlib.error as error:
        raise CompareError(f"A prompt in the history cannot be read: {error}.") from None
    return restored(content, path)


def restored(content: bytes, path: Path | None = None) -> Prompt:
    """The prompt of a canonical form, said to be from the file `path`. Raises as `unpack`."""
    try:
        data: dict[str, Any] = json.loads(content)
        return msgspec.convert(data | {"path": path and str(path)}, Prompt, dec_hook=_read)
    except (ValueError, TypeError, msgspec.MsgspecError, RecursionError) as error:
        raise CompareError(f"A prompt in the history cannot be read: {error}.") from None


def asked(blob: bytes, values: Mapping[str, str]) -> str:
    """The user's text of a packed canonical form, with values for the variables that stand alone
    in braces; empty for what is none."""
    try:
        data: dict[str, Any] = json.loads(zlib.decompress(blob))
    except (zlib.error, ValueError, RecursionError):
        return ""
    known = {it["name"]: it["default"] for it in data.get("variables", ()) if it.get("default")}
    return _filled(data.get("user", ""), known | dict(values))


def user_text(prompt: Prompt, values: Mapping[str, str]) -> str:
    """The same of a prompt."""
    known = {it.name: it.default for it in prompt.variables if it.default}
    return _filled(prompt.user, known | dict(values))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{-?\s*(\w+)\s*-?\}\}", lambda it: values.get(it[1], it[0]), text)


def _read(kind: type, value: Any) -> Any:
    return Path(value) if issubclass(kind, Path) else value


def _plain(value: object) -> Any:
    """Plain data; of dataclasses what makes them equal and is not left at its default, so that a
    field added one day changes no hash."""
    if is_dataclass(value) and not isinstance(value, type):
        found = [(field, getattr(value, field.name)) for field in fields(value) if field.compare]
        return {field.name: _plain(it) for field, it in found if not _is_default(field, it)}
    if isinstance(value, Mapping):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(it) for it in value]
    return str(value) if isinstance(value, Path | date | time) else value


def _is_default(field: Field[Any], value: object) -> bool:
    if field.default_factory is not MISSING:
        return value == field.default_factory()
    return field.default is not MISSING and value == field.default


def readable(prompt: Prompt) -> dict[str, str]:
    """For each field that is not left at its default a text to compare, in the document's order."""
    return {name: _lines(value).strip("\n") for name, value in _plain(prompt).items()}


def _lines(value: Any) -> str:
    """Text as it is, tables as `key: value`, and the entries of a list a blank line apart."""
    match value:
        case str():
            return value
        case dict():
            return "\n".join(_entry(str(key), inner) for key, inner in value.items())
        case list() if any(isinstance(inner, dict | list) for inner in value):
            return "\n\n".join(_lines(inner) for inner in value)
        case list():
            return "\n".join(_lines(inner) for inner in value)
        case _:
            return json.dumps(value)


def _entry(key: str, value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{key}:\n" + indent(_lines(value), "  ")
    return f"{key}: {_lines(value)}"
