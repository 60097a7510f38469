"""Open the app from the command line."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from ..log import keep_log
from ..paths import (
    adapters_folder,
    cache_dir,
    history_days,
    log_dir,
    model_folders,
    prompt_folders,
    snippet_folders,
    state_dir,
    suite_folders,
)
from ..setup import Setup

if TYPE_CHECKING:
    from .asked import Asked


def open_app(asked: Asked, *, mouse: bool) -> None:
    """Open the app and stay until it is closed.

    Raises CompareError, ModelError or PromptError before anything is drawn, and what made it end.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from click import UsageError

        raise UsageError("the app needs a terminal; without one use `llamadiff run` or `diff`.")
    variants = None
    if not asked.nothing or asked.sampling or asked.each:
        from dataclasses import replace

        from ...prompts.library import SHIPPED

        default = str(SHIPPED / "tell-me-about.toml") if asked.user is None else None
        variants = replace(asked, prompt=asked.prompt or default).make_variants()
    # Nothing that is made until the first frame goes away again: looking for such takes 30 ms.
    gc.disable()
    from ..app import LlamadiffApp

    setup = Setup(
        cache_dir=cache_dir(),
        log_dir=log_dir(),
        state_dir=state_dir() if asked.history else None,
        history_days=history_days(),
        adapters_folder=adapters_folder(),
        model_folders=model_folders(),
        prompt_folders=prompt_folders(),
        snippet_folders=snippet_folders(),
        suite_folders=suite_folders(),
        variants=variants,
        values=asked.values,
        exact=asked.exact,
        settings=asked.settings(),
    )
    keep_log()
    app = LlamadiffApp(setup)
    app.run(mouse=mouse)
    if app.failure is not None:
        raise app.failure
