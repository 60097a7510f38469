"""Open the app from the command line."""

from __future__ import annotations

import sys

import click

from ..paths import (
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
from .options import Asked


def open_app(asked: Asked, *, mouse: bool) -> None:
    """Open the app and stay until it is closed.

    Raises CompareError, ModelError or PromptError before anything is drawn.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise click.UsageError(
            "the app needs a terminal; without one use `llamadiff run` or `diff`."
        )
    variants = None
    if not asked.nothing or asked.sampling or asked.each:
        from dataclasses import replace

        from ...prompts.library import SHIPPED

        default = str(SHIPPED / "tell-me-about.toml") if asked.user is None else None
        variants = replace(asked, prompt=asked.prompt or default).make_variants()
    from ..app import LlamadiffApp

    setup = Setup(
        cache_dir=cache_dir(),
        log_dir=log_dir(),
        state_dir=state_dir() if asked.history else None,
        history_days=history_days(),
        model_folders=model_folders(),
        prompt_folders=prompt_folders(),
        snippet_folders=snippet_folders(),
        suite_folders=suite_folders(),
        variants=variants,
        values=asked.values,
        exact=asked.exact,
        settings=asked.settings(),
    )
    LlamadiffApp(setup).run(mouse=mouse)
