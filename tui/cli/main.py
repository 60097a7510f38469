"""The command `llamadiff`: the app at once where nothing is asked for, else the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command line; everything a person got wrong is one line on stderr."""
    given = sys.argv[1:] if arguments is None else arguments
    if given or "_LLAMADIFF_COMPLETE" in os.environ:  # a shell asks what could be typed
        from .commands import run_command

        return run_command(given)
    from .app import open_app
    from .asked import Asked

    try:
        open_app(Asked())
    except BaseException as error:
        from .commands import exit_code

        return exit_code(error)
    return 0
