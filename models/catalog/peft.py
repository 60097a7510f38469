"""What a PEFT folder says of its adapter, for the list, and how to make a file of it."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..adapters.convertible import refusal
from ..adapters.peft_config import raw_config
from ..errors import ModelError, plain
from .entries import AdapterEntry
from .files import Candidate

_MOST_TARGETS = 100


def peft_entry(candidate: Candidate, name: str) -> AdapterEntry:
    """The adapter in a PEFT folder, with `convert`'s reason if that refuses it."""
    folder = Path(candidate.path)
    config: dict[str, Any] = {}
    with suppress(ModelError):
        config = raw_config(folder)
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
        problem=plain(problem) if (problem := refusal(folder)) else None,
    )


class PeftFolderError(ModelError):
    """The adapter meant is a PEFT folder, which has to be converted first."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(to_be_converted(folder, name))
        self.name, self.folder = name, folder


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
