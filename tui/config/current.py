"""The settings that the program runs with."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from ..paths import config_dir, expanded, prompts_folder
from .reading import NAME, Configured, read_config
from .schema import SETTINGS


def config_file() -> Path:
    """Where the settings are, if there is such a file."""
    return config_dir() / NAME


def configured() -> Configured:
    """What this person's file and environment say, read once."""
    names = [setting.env for setting in SETTINGS.values()]
    return _read(config_file(), tuple((it, os.environ.get(it, "")) for it in names))


@functools.cache
def _read(path: Path, environment: tuple[tuple[str, str], ...]) -> Configured:
    return read_config(path, dict(environment))


def model_folders() -> tuple[Path, ...]:
    """More folders to look for models and adapters in."""
    return tuple(map(expanded, configured().config.model_folders))


def prompt_folders() -> tuple[Path, ...]:
    """The person's own prompts, then more folders to look for prompts in."""
    return (prompts_folder(), *map(expanded, configured().config.prompt_folders))


def history_days() -> float | None:
    """After how many days runs are removed; None for never."""
    return configured().config.history_days or None
