"""A file in the person's own editor, which has the terminal meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from textual.app import App, SuspendNotSupported

from .configured_app import config_of


def edit_file(app: App[object], file: Path) -> str:
    """Have a file edited in the person's editor; why that was not possible, or empty."""
    import shlex
    import subprocess

    own = config_of(app).editor
    command = own or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    problem = ""
    try:
        with app.suspend():
            # Nothing may be raised in here: the app would not take the terminal back.
            try:
                done = subprocess.run([*shlex.split(command), str(file)], check=False)
                if done.returncode:
                    problem = f"{command} ended with {done.returncode}; nothing changed."
            except (OSError, ValueError) as error:
                problem = _not_started(command, error)
    except SuspendNotSupported:
        problem = "This terminal cannot make room for an editor."
    if not problem and not file.exists():
        problem = f"{command} removed the file it was given; nothing changed."
    return problem


def _not_started(command: str, error: OSError | ValueError) -> str:
    known = isinstance(error, FileNotFoundError)
    why = "not found" if known else getattr(error, "strerror", None) or error
    return f"cannot start {command}: {why}; set another editor in the settings, or $EDITOR."
