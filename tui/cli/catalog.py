"""`llamadiff models` and `llamadiff adapters`: what is on this disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .found import open_catalog
from .printing import count, note, print_json, size, table

if TYPE_CHECKING:
    from ...models.catalog import AdapterEntry, Catalog, ModelEntry

_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
_words = click.argument("words", nargs=-1, metavar="[PLACE | WORD]...")


@click.command("models")
@_words
@_json
def models_command(words: tuple[str, ...], as_json: bool) -> None:
    """List the base models on this disk, or in each PLACE alone, that have every WORD.

    A PLACE is a file, or a folder that is searched with all folders in it. Without any the list is
    of the bundled models, of the folders in the setting model_folders, and of what Hugging Face,
    llama.cpp, LM Studio, Ollama, GPT4All and Jan keep; text-generation-webui is found where its
    folder is given. A WORD is looked for in names, paths, types and sources.
    """
    catalog, wanted = _asked(words)
    entries = _fitting(catalog.models(), wanted)
    if as_json:
        print_json([asdict(entry) for entry in entries], indent=True)
        return
    rows: list[tuple[str, ...]] = [
        ("NAME", "PARAMETERS", "TYPE", "SIZE", "CONTEXT", "ARCHITECTURE", "SOURCE")
    ]
    for e in entries:
        context = f"{e.context:,}" if e.context else "–"
        cells = (e.name, count(e.parameters), e.quantization or "–", size(e.bytes), context, e.architecture or "–", e.source)  # fmt: skip
        rows.append(_unusable(e) or cells)
    table(rows)
    _summary(entries, "models", wanted)


@click.command("adapters")
@_words
@_json
def adapters_command(words: tuple[str, ...], as_json: bool) -> None:
    """List the adapters on this disk; as `models`."""
    catalog, wanted = _asked(words)
    entries = _fitting(catalog.adapters(), wanted)
    if as_json:
        print_json([asdict(entry) for entry in entries], indent=True)
        return
    rows: list[tuple[str, ...]] = [("NAME", "RANK", "ALPHA", "SIZE", "BASE", "TARGETS", "SOURCE")]
    for e in entries:
        alpha = "–" if e.alpha is None else f"{e.alpha:g}"
        cells = (e.name, str(e.rank or "–"), alpha, size(e.bytes), e.base or "–", " ".join(e.targets) or "–", e.source)  # fmt: skip
        rows.append(_unusable(e) or cells)
    table(rows)
    _summary(entries, "adapters", wanted)


def _asked(words: Sequence[str]) -> tuple[Catalog, str]:
    """The catalog of the places among the words, or the whole one, and the other words."""
    places = [Path(word) for word in words if os.path.exists(word)]  # noqa: PTH110 - Path's raises
    others = [word for word in words if not os.path.exists(word)]  # noqa: PTH110 - as above
    for word in others:
        if word.startswith((".", "/", "~")) or word.endswith(("/", ".gguf")):
            raise click.UsageError(f"{word} does not exist; give a file, a folder or a word.")
    return open_catalog(places), " ".join(others)


def _fitting(entries: Sequence[Any], wanted: str) -> list[Any]:
    from ..library import fitting

    return fitting(entries, wanted)


def _unusable(entry: ModelEntry | AdapterEntry) -> tuple[str, str] | None:
    """The row of an entry that cannot be used: its name, and why; the path goes without saying."""
    if not entry.problem:
        return None
    reason = entry.problem.removeprefix(entry.path).removeprefix(entry.name).strip()
    return entry.name, f"✗ {reason}"


def _summary(entries: Sequence[ModelEntry | AdapterEntry], what: str, wanted: str) -> None:
    """What the table does not say: that nothing fits, and what to do about what cannot be used."""
    if not entries:
        note(f"There are no such {what}: {wanted}." if wanted else f"There are no {what}.")
    from ...models.catalog import AdapterEntry

    bad = sum(entry.problem is not None for entry in entries)
    adapters = [it for it in entries if isinstance(it, AdapterEntry) and not it.problem]
    if bad:
        note(f"{bad:,} of {len(entries):,} cannot be used; `--json` has the paths.")
    if folders := sum(adapter.is_peft for adapter in adapters):
        convert = "-a converts one for the base model it is used on"
        note(f"{folders:,} of {len(entries):,} are PEFT folders; {convert}.")
