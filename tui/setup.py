"""What the app is opened with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .config.reading import Configured

if TYPE_CHECKING:
    from ..compare.variants import Variant
    from ..models.engine.protocol import ModelSettings


@dataclass(frozen=True)
class Setup:
    """Options of the command line, and the folders of this machine.

    Without `variants` three ready ones are made on the bundled model once the first
    frame is on the screen. `values` are for the prompts' variables; those not given have their
    defaults. One `seed` is for all variants; None leaves each its own, 0 by default. `settings`
    are how models are loaded, `own_settings` how some are, by name. `cache_dir`, `log_dir` and `state_dir` are folders, made when needed;
    without the last nothing is remembered, and runs older than `history_days` are removed unless
    they are tagged, noted or rated. `adapters_folder` is where those trained here go; it and
    `model_folders` are searched for models and adapters, `prompt_folders` for prompts,
    `snippet_folders` for snippets and `suite_folders` for suites; the first of each is the person's
    own. Where it is `passing`, these go away at the end. `configured` is what the person has set; of that which is above too, this here counts.
    """

    cache_dir: Path
    log_dir: Path
    state_dir: Path | None = None
    history_days: float | None = None
    variants: Sequence[Variant] | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int | None = None
    exact: bool = False
    settings: ModelSettings | None = None
    own_settings: Mapping[str, ModelSettings] = field(default_factory=dict[str, "ModelSettings"])
    adapters_folder: Path | None = None
    model_folders: Sequence[Path] = ()
    prompt_folders: Sequence[Path] = ()
    snippet_folders: Sequence[Path] = ()
    suite_folders: Sequence[Path] = ()
    passing: bool = False
    configured: Configured = field(default_factory=Configured)
