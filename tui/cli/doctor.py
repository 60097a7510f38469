"""`llamadiff doctor`: what works here."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from .found import open_catalog
from .printing import data, print_json, size

EXTRAS = {"tune": ("torch", "transformers", "peft"), "serve": ("textual-serve",)}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def doctor_command(as_json: bool) -> int:
    """Show versions, processor, memory, terminal, paths and extras; start the engine once."""
    document, problems = _look()
    if as_json:
        print_json({**document, "problems": problems}, indent=True)
    else:
        width = max(map(len, document))
        for key, value in document.items():
            data(f"{key.replace('_', ' '):{width}}  {value}")
        for problem in problems:
            data(f"problem: {problem}")
    return 1 if problems else 0


def _look() -> tuple[dict[str, Any], list[str]]:
    import psutil

    from ..config.current import config_file, configured, prompt_folders
    from ..paths import adapters_folder, cache_dir, log_dir, state_dir

    problems: list[str] = []
    engine, problem = asyncio.run(_start_engine())
    catalog = open_catalog()
    models, adapters = catalog.models(), catalog.adapters()
    bundled = [entry for entry in (*models, *adapters) if entry.source == "bundled"]
    unusable = sum(entry.problem is not None for entry in (*models, *adapters))
    problems += [problem] if problem else []
    problems += [entry.problem for entry in bundled if entry.problem]
    problems += configured().problems
    extras = {name: all(_installed(p) for p in packages) for name, packages in EXTRAS.items()}
    document: dict[str, Any] = {
        "llamadiff": version("llamadiff"),
        "python": platform.python_version(),
        "textual": version("textual"),
        **engine,
        "cores": f"{psutil.cpu_count(logical=False)} physical, {psutil.cpu_count()} logical",
        "memory": f"{size(psutil.virtual_memory().total)}, {size(psutil.virtual_memory().available)} free",
        "terminal": f"{os.environ.get('TERM', 'none')}, {os.environ.get('COLORTERM', 'no COLORTERM')}, {'a terminal' if sys.stdout.isatty() else 'not a terminal'}",
        "over_ssh": "yes" if os.environ.get("SSH_CONNECTION") else "no",
        "settings": f"{config_file()}{'' if config_file().exists() else ' (not there)'}",
        "state": str(state_dir()),
        "adapters": str(adapters_folder()),
        "prompts": os.pathsep.join(map(str, prompt_folders())),
        "cache": str(cache_dir()),
        "log": str(log_dir()),
        "bundled": f"{sum(entry in models for entry in bundled)} model(s), {sum(entry in adapters for entry in bundled)} adapters",
        "on_this_disk": f"{len(models)} models, {len(adapters)} adapters, {unusable} of them not usable (llamadiff models, adapters)",
        **{f"extra_{name}": "installed" if has else f"not installed (pip install 'llamadiff[{name}]')" for name, has in extras.items()},
    }  # fmt: skip
    return document, problems


async def _start_engine() -> tuple[dict[str, str], str | None]:
    from ...models.engine.client import Engine, EngineError
    from ..paths import log_dir

    engine = Engine(log_dir() / "engine.log")
    try:
        hello = await engine.start()
    except EngineError as error:
        return {"llama_cpp": "does not start"}, str(error)
    finally:
        await engine.close()
    return {
        "llama_cpp": hello.llama_cpp,
        "devices": ", ".join(hello.backends),
        "gpu_offload": "yes" if hello.gpu_offload else "no (this build is for the CPU)",
        "features": hello.system_info.strip(" |"),
    }, None


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
