"""What tuning needs beyond the program itself, and whether it is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

PACKAGES = ("torch", "transformers", "peft")
INSTALL = "pip install 'llamadiff[tune]'"
SIZE = "1 GB with torch for CPUs only, several with CUDA"
"""Of everything that the extra brings; see docs/training.md."""


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


def tool_versions() -> tuple[str, ...]:
    """The versions of what trains, as `torch 2.13.0`."""
    found: list[str] = []
    for name in ("llamadiff", *PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return tuple(found)
