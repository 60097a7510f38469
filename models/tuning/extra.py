"""What tuning needs beyond the program itself, and whether it is installed."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("torch", "transformers", "peft")
INSTALL = "pip install 'llamadiff[tune]'"
SIZE = "1 GB with torch for CPUs only, several with CUDA"
"""Of everything that the extra brings; see docs/training.md."""
_OTHERS = ("/dev/kfd", "/dev/dxg")
"""AMD's, and Windows' under Linux."""


def missing_extra() -> str | None:
    """What to install before anything can be tuned, in a sentence; None when all is there.

    Nothing is imported for it.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if not missing:
        return None
    return (
        f"Tuning needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
        f"installed: {INSTALL} (about {SIZE})."
    )


def may_have_gpu() -> bool:
    """Whether torch may find a GPU, by what its drivers have put into /dev; nothing is imported."""
    try:
        if version("torch").endswith("+cpu"):
            return False
    except PackageNotFoundError:
        return False
    return any(Path("/dev").glob("nvidia[0-9]*")) or any(map(os.path.exists, _OTHERS))


def tool_versions() -> tuple[str, ...]:
    """The versions of what trains, as `torch 2.13.0`."""
    found: list[str] = []
    for name in ("llamadiff", *PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return tuple(found)
