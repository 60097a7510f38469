"""Open the app from the command line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..collecting import begin_without
from ..config.current import configured, history_days, model_folders, prompt_folders
from ..log import keep_log
from ..paths import (
    adapters_folder,
    cache_dir,
    log_dir,
    snippet_folders,
    state_dir,
    suite_folders,
)
from ..setup import Setup

if TYPE_CHECKING:
    from ...compare.evaluation.plan import Plan
    from ..app import LlamadiffApp
    from ..evaluating import Evaluating
    from .asked import Asked


def open_app(asked: Asked, *, mouse: bool = True) -> None:
    """Open the app and stay until it is closed; without `mouse` even if the person has set it.

    Raises CompareError, ModelError or PromptError before anything is drawn, and what made it end.
    """
    need_terminal()
    variants = None
    if not asked.nothing or asked.sampling or asked.each:
        from dataclasses import replace

        from ...prompts.library import SHIPPED

        default = str(SHIPPED / "tell-me-about.toml") if asked.user is None else None
        variants = replace(asked, prompt=asked.prompt or default).make_variants()
    given = configured().given(asked.options if mouse else {**asked.options, "mouse": False})
    begin_without()
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
        own_settings=asked.own_settings(),
        configured=given,
    )
    keep_log()
    app = LlamadiffApp(setup)
    app.run(mouse=given.config.mouse)
    if app.unfinished is not None:
        tell_of(app.unfinished, app)
    if app.failure is not None:
        raise app.failure
    if app.ended_by is not None:
        from .commands import EndedError

        raise EndedError(app.ended_by)


def need_terminal() -> None:
    """Raise UsageError where there is neither a terminal nor a browser (`llamadiff serve`)."""
    terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if not terminal and not os.environ.get("TEXTUAL_DRIVER", "").endswith("WebDriver"):
        from click import UsageError

        raise UsageError("the app needs a terminal; without one use `llamadiff run` or `diff`.")


def tell_of(it: Evaluating, app: LlamadiffApp) -> None:
    """Say how to go on with an evaluation that was stopped."""
    from ..key_names import with_keys
    from .printing import note

    if it.key is None:
        return
    command = _resuming(it.plan)
    evaluate, run = (with_keys(app, it) for it in ("{app.evaluate}", "{evaluate.run}"))
    how = f"`{command}` goes on with them, as {evaluate} and {run} in the app do"
    there = f"{evaluate} in the app, and {run} there, go on with them"
    note(
        f"{it.plan.suite.name} was stopped; {len(it.answers):,} of {it.plan.answers:,} answers are "
        f"kept: {how if command else there}."
    )


def _resuming(plan: Plan) -> str:
    """The command that goes on with a plan; empty where it would ask something else."""
    import shlex

    from ...compare.errors import MISTAKES
    from ...compare.evaluation.planning import plan_of
    from ...compare.evaluation.reading import load_suite
    from ...compare.evaluation.shipped import ships
    from .asked import Asked

    path, settings, default = plan.suite.path, plan.settings, Asked().settings()
    try:
        same = plan_of(load_suite(path), Asked().defaults(), settings).fingerprint()
    except (*MISTAKES, OSError):
        return ""
    if same != plan.fingerprint():
        return ""
    words = ["llamadiff", "eval", "--resume"]
    words += ["-c", f"{settings.n_ctx}"] * (settings.n_ctx != default.n_ctx)
    words += ["-t", f"{settings.n_threads}"] * (settings.n_threads != default.n_threads)
    words += ["-ngl", f"{settings.n_gpu_layers}"] * (settings.n_gpu_layers != default.n_gpu_layers)
    words += ["--kv-type", settings.kv_type] * (settings.kv_type != default.kv_type)
    words += ["--context-shift"] * settings.context_shift
    return shlex.join([*words, path.stem if ships(path) else str(path)])
