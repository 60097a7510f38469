"""`llamadiff models` and `llamadiff adapters`: what is on this disk."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from .found import open_catalog
from .printing import count, note, print_json, size, table

_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
_folders = click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))


@click.command("models")
@_folders
@_json
def models_command(places: tuple[Path, ...], as_json: bool) -> None:
    """List the base models on this disk: bundled, of other programs, and in PLACES.

    PLACES are files, or folders that are searched with all folders in them, as those that
    LLAMADIFF_MODELS lists always are. Other programs are Hugging Face, llama.cpp, LM Studio,
    Ollama, GPT4All and Jan; text-generation-webui is found where its folder is given.
    """
    entries = open_catalog(places).models()
    if as_json:
        print_json([asdict(entry) for entry in entries], indent=True)
        return
    rows = [("NAME", "PARAMETERS", "TYPE", "SIZE", "CONTEXT", "ARCHITECTURE", "SOURCE")]
    for e in entries:
        context = f"{e.context:,}" if e.context else "–"
        rows.append((e.name, count(e.parameters), e.quantization or "–", size(e.bytes), context, e.architecture or "–", e.source))  # fmt: skip
    table(rows)
    _problems([(e.name, e.problem) for e in entries])


@click.command("adapters")
@_folders
@_json
def adapters_command(places: tuple[Path, ...], as_json: bool) -> None:
    """List the adapters on this disk; as `models`. ✗ marks those that cannot be used."""
    entries = open_catalog(places).adapters()
    if as_json:
        print_json([asdict(entry) for entry in entries], indent=True)
        return
    rows = [("NAME", "RANK", "ALPHA", "SIZE", "BASE", "TARGETS", "SOURCE")]
    for e in entries:
        alpha = "–" if e.alpha is None else f"{e.alpha:g}"
        rows.append((f"✗ {e.name}" if e.problem else e.name, str(e.rank or "–"), alpha, size(e.bytes), e.base or "–", " ".join(e.targets) or "–", e.source))  # fmt: skip
    table(rows)
    folders = "a PEFT folder; -a converts it for the base model it is used on."
    _problems([(e.name, e.problem or (folders if e.is_peft else None)) for e in entries])


def _problems(entries: list[tuple[str, str | None]]) -> None:
    for name, problem in entries:
        if problem:
            note(f"{name}: {problem}")
