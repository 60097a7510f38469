"""The folder of a tour, which goes with it: nothing of the person's is changed, and of what they have
only models and adapters are looked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config.reading import Configured
from ..setup import Setup


def setup_in(folder: Path, setup: Setup) -> Setup:
    """What a playground is opened with that keeps all it has in a folder, and asks what is ready."""
    return replace(
        setup,
        cache_dir=folder / "cache", log_dir=folder / "log", state_dir=folder / "state",
        adapters_folder=folder / "adapters", prompt_folders=(folder / "prompts",),
        snippet_folders=(folder / "snippets",), suite_folders=(folder / "suites",),
        variants=None, values={}, seed=None, exact=False, settings=None, configured=Configured(),
        own_settings={}, passing=True,
    )  # fmt: skip
