"""What a PEFT folder says of its adapter, for the list; converting it is judged elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ..errors import plain, size_in_words
from .entries import AdapterEntry
from .files import PEFT_CONFIG, Candidate
from .json_text import parsed

_MAX_CONFIG = 1 << 20
"""Bytes of an adapter_config.json."""

_MOST_TARGETS = 100


def peft_entry(candidate: Candidate, name: str) -> AdapterEntry:
    """The adapter in a PEFT folder: always with a problem, that it has to be converted."""
    config: dict[str, Any] = {}
    folder = Path(candidate.path)
    problem = to_be_converted(folder, candidate.name)
    try:
        config = _read(folder / PEFT_CONFIG)
    except OSError as error:
        problem = f"{folder / PEFT_CONFIG} cannot be read: {error.strerror or error}."
    except ValueError as error:
        problem = f"{folder / PEFT_CONFIG} is damaged ({error}); fetch the adapter again."
    base, targets = config.get("base_model_name_or_path"), config.get("target_modules")
    if isinstance(targets, str):
        targets = [targets]
    listed = targets[:_MOST_TARGETS] if isinstance(targets, list) else ()
    return AdapterEntry(
        name=name,
        path=candidate.path,
        source=candidate.source,
        architecture=None,
        rank=int(number) if (number := _number(config.get("r"))) is not None else None,
        alpha=_number(config.get("lora_alpha")),
        targets=tuple(sorted(plain(target) for target in listed if isinstance(target, str))),
        base=plain(base) if isinstance(base, str) and base else None,
        bytes=candidate.bytes,
        problem=plain(problem),
    )


def to_be_converted(folder: Path, name: str) -> str:
    """That a PEFT folder cannot be used as it is, and the command that helps."""
    paths = f"{shlex.quote(str(folder))} -o {shlex.quote(f'{name}.gguf')}"
    return (
        f"{name} is a PEFT folder, which llama.cpp cannot read; convert it with "
        f"`llamadiff convert {paths} --base MODEL`."
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e9 else None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError("it is not a regular file")
    if path.stat().st_size > _MAX_CONFIG:
        raise ValueError(f"it is larger than {size_in_words(_MAX_CONFIG)}")
    config = parsed(path.read_bytes())
    if not isinstance(config, dict):
        raise ValueError("it is no JSON object")
    return config
