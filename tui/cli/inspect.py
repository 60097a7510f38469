"""`llamadiff inspect`: what a model or adapter file is, whether it fits, and what it changes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.current import configured
from ..safe_text import safe_line, safe_text
from .found import base_model, open_catalog
from .options import TOKENS, complete_model
from .printing import count, data, note, print_json, size, table
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...models.adapters.effect import Effect
    from ...models.catalog import Catalog
    from ...models.gguf.facts import AdapterFacts, ModelFacts
    from ...models.gguf.header import Header

DEFAULT_CONTEXT = 4096
PROVENANCE_KEYS = (
    "general.author", "general.organization", "general.url", "general.repo_url",
    "general.finetune", "general.quantized_by",
)  # fmt: skip
"""More metadata that tells where a file comes from, beside `facts.PROVENANCE`."""
ONLY_JSON = ("template", "tensors", "memory", "memory_needed", "memory_available")
"""Fields of the document that the text shows in another way, or not."""


@click.command("inspect")
@click.argument("file", type=click.Path(), shell_complete=complete_model)
@click.option("--base", metavar="MODEL", shell_complete=complete_model, help="For an adapter: check that it fits this base model.")  # fmt: skip
@click.option("--effect", is_flag=True, help="With --base: run both and measure what the adapter changes.")  # fmt: skip
@click.option("-c", "--ctx-size", type=TOKENS, metavar="N", help="Context length to estimate memory for. [the model's own, at most 4096]")  # fmt: skip
@click.option("--tensors", is_flag=True, help="List the tensors.")
@click.option("--template", is_flag=True, help="Print the chat template alone.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def inspect_command(
    file: str,
    base: str | None,
    effect: bool,
    ctx_size: int | None,
    tensors: bool,
    template: bool,
    as_json: bool,
) -> int:
    """Show what FILE is: a GGUF file, or a name from the catalog.

    With --effect the exit code is 1 when the adapter changes nothing, or no more than rounding
    does.
    """
    if effect and not base:
        raise click.UsageError("--effect needs --base: the model that the adapter is to change.")
    catalog = open_catalog()
    found = _find(file, catalog)
    if isinstance(found, Path):
        if base or template or tensors:
            raise click.UsageError(f"{found} is a PEFT folder; convert it first.")
        return _print_peft(found, as_json)
    base_facts, odd = _base_of(found, file, base, catalog) if base else (None, ())
    document = _document(found, ctx_size)
    if template and not as_json:
        return _print_template(document)
    if base_facts is not None:
        document["fits"] = base
        document["odd"] += odd
    measured = None
    if effect and base_facts is not None:
        measured = asyncio.run(_measure(base_facts.path, found.path))
        document["effect"] = {
            "logit": measured.logit,
            "probability": measured.probability,
            "noise": measured.noise,
            "nothing": measured.nothing,
            "within_rounding": measured.within_rounding,
        }
    if tensors:
        document["tensors"] = _tensors(found)
    if as_json:
        print_json(document, indent=True)
    else:
        _print(document)
    return int(measured is not None and measured.within_rounding)


def _find(file: str, catalog: Catalog) -> ModelFacts | AdapterFacts | Path:
    """What FILE means; a PEFT folder is given as its path. Raises ModelError for other folders."""
    from ...models.adapters.peft_config import is_peft_folder
    from ...models.errors import ModelError

    path = Path(file)
    if path.is_dir() and is_peft_folder(path):
        return path
    if path.is_dir() and "/" not in file:
        raise ModelError(f"{file} is a folder; give a .gguf file in it.")
    found = catalog.either(str(path.absolute()) if path.is_file() else file)
    return found if isinstance(found, Path) else found.facts


def _print_peft(folder: Path, as_json: bool) -> int:
    """What the config of a PEFT folder says, and what makes a file of it."""
    from ...models.adapters.peft_config import read_config
    from ...models.catalog.peft import to_be_converted

    config = read_config(folder)
    document = {
        "kind": "PEFT folder",
        "name": folder.resolve().name,
        "path": str(folder),
        "rank": config.rank,
        "rank_pattern": sorted(set(config.ranks.values())),
        "alpha": config.alpha,
        "alpha_pattern": sorted(set(config.alphas.values())),
        "rslora": config.rslora,
        "targets": list(config.targets),
        "base": config.base,
        "unknown": list(config.unknown),
    }
    if as_json:
        print_json(document, indent=True)
    else:
        _print({key: value for key, value in document.items() if value not in ([], False)})
        note(to_be_converted(folder, document["name"]))
    return 0


def _base_of(
    facts: ModelFacts | AdapterFacts, file: str, base: str, catalog: Catalog
) -> tuple[ModelFacts, tuple[str, ...]]:
    """The facts of the base that FILE is to fit, and what is odd about the two together."""
    from ...models.adapters.preflight import check_fit
    from ...models.errors import ModelError
    from ...models.gguf.facts import ModelFacts

    if isinstance(facts, ModelFacts):
        raise ModelError(f"{file} is a base model; --base goes with an adapter.")
    base_facts = base_model(catalog, base).facts
    return base_facts, check_fit(facts, base_facts, base_sha256=_hash(facts, base_facts))


def _hash(adapter: AdapterFacts, base: ModelFacts) -> str | None:
    """The hash of the base, where the adapter records one to hold it against."""
    from ...models.adapters.provenance import BASE_SHA256
    from ...models.hashing import model_sha256
    from ..paths import cache_dir

    if BASE_SHA256 not in adapter.provenance:
        return None
    with ProgressLine() as line:
        return model_sha256(
            base.parts,
            cache_dir(),
            lambda done: line.show(f"hashing {base.path.name}", done / max(base.bytes, 1)),
        )


async def _measure(base: Path, adapter: Path) -> Effect:
    """What the adapter changes, at scale 1."""
    from ...models.adapters.effect import Probe
    from ...models.engine.client import Engine
    from ...models.engine.protocol import AdapterUse, file_version
    from ..paths import log_dir

    engine = Engine(log_dir() / "engine.log")
    try:
        probe = await Probe.of(engine, await engine.load(base))
        return await probe.effect([AdapterUse(str(adapter), 1.0, file_version(adapter))])
    finally:
        await engine.close()


def _document(facts: ModelFacts | AdapterFacts, ctx_size: int | None) -> dict[str, Any]:
    from ...models.gguf.facts import ModelFacts

    return _model(facts, ctx_size) if isinstance(facts, ModelFacts) else _adapter(facts)


def _model(facts: ModelFacts, ctx_size: int | None) -> dict[str, Any]:
    from ...models.memory import beyond_training, estimate, fit, largest_context

    n_ctx = ctx_size or configured().config.context or min(facts.context, DEFAULT_CONTEXT)
    memory = estimate(facts, n_ctx=n_ctx, n_seq=1)
    fits = fit(facts, n_ctx)
    beyond = beyond_training(facts, n_ctx)
    return {
        "kind": "model",
        "name": facts.name,
        "title": facts.title,
        "path": str(facts.path),
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "quantization": facts.quantization,
        "tensor_types": dict(facts.bytes_by_type),
        "bytes": facts.bytes,
        "files": len(facts.parts),
        "context": facts.context,
        "layers": facts.layers,
        "embedding": facts.embedding,
        "heads": facts.heads,
        "kv_heads": facts.kv_heads,
        "vocabulary": facts.vocab_size,
        "tied_embeddings": facts.tied_embeddings,
        "chat_template": bool(facts.chat_template),
        "template": facts.chat_template,
        "license": facts.license,
        "provenance": _provenance(facts.path),
        "memory_context": n_ctx,
        "memory_bytes": memory.total,
        "memory": {
            "weights": memory.weights,
            "repacked": memory.repacked,
            "kv_cache": memory.kv_cache,
            "compute": memory.compute,
        },
        "memory_needed": fits.needed,
        "memory_available": fits.available,
        "fits_memory": bool(fits),
        "largest_context": largest_context(
            facts, n_seq=1, available=fits.available, most=facts.context
        ),
        "odd": [beyond] if beyond else [],
    }


def _adapter(facts: AdapterFacts) -> dict[str, Any]:
    alpha = facts.alpha
    return {
        "kind": "adapter",
        "name": facts.name,
        "path": str(facts.path),
        "architecture": facts.architecture,
        "rank": facts.rank,
        "alpha": alpha,
        "effective_scale": [alpha / rank if alpha else 1.0 for rank in facts.ranks],
        "targets": list(facts.targets),
        "parameters": facts.parameters,
        "bytes": facts.bytes,
        "base": facts.base,
        "provenance": _provenance(facts.path),
        "odd": [],
    }


def _provenance(path: Path) -> dict[str, Any]:
    """What the file says of where it comes from, by the names of its metadata."""
    from ...models.gguf.facts import PROVENANCE
    from ...models.gguf.header import ArraySummary, read_header

    metadata = read_header(path, tensors=False).metadata
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in metadata.items()
        if (key.startswith(PROVENANCE) or key in PROVENANCE_KEYS)
        and not isinstance(value, ArraySummary)
    }


def _tensors(facts: ModelFacts | AdapterFacts) -> list[dict[str, Any]]:
    from ...models.gguf.header import read_header

    headers: list[Header] = [read_header(path) for path in getattr(facts, "parts", (facts.path,))]
    return [
        {"name": it.name, "shape": list(it.shape), "type": it.type_name, "bytes": it.n_bytes}
        for header in headers
        for it in header.tensors
    ]


def _print_template(document: dict[str, Any]) -> int:
    template = document.get("template")
    if not template:
        note(f"{document['name']} has no chat template.")
        return 1
    data(safe_text(template))
    return 0


def _print(document: dict[str, Any]) -> None:
    shown = {
        key.replace("_", " "): _words(key, value, document)
        for key, value in document.items()
        if key not in ONLY_JSON
    }
    provenance = shown.pop("provenance", None)
    if provenance is not None:
        shown |= {key: _plain(value) for key, value in document["provenance"].items()}
    odd = document.get("odd", [])
    shown.pop("odd", None)
    width = max(map(len, shown))
    for key, value in shown.items():
        data(f"{safe_line(key):{width}}  {safe_line(value)}")
    for sentence in odd:
        data(f"{'odd':{width}}  {safe_line(sentence)}")
    if tensors := document.get("tensors"):
        rows = [(it["name"], " × ".join(map(str, it["shape"])), it["type"], size(it["bytes"])) for it in tensors]  # fmt: skip
        data("")
        table([("TENSOR", "SHAPE", "TYPE", "SIZE"), *rows])


def _words(key: str, value: Any, document: dict[str, Any]) -> str:
    match key:
        case "bytes":
            return size(value)
        case "memory_bytes":
            parts = {k.replace("_", " "): v for k, v in document["memory"].items() if v}
            return f"{size(value)} ({', '.join(f'{name} {size(n)}' for name, n in parts.items())})"
        case "fits_memory":
            from ...models.memory import Fit

            return str(Fit(document["memory_needed"], document["memory_available"]))
        case "largest_context":
            free = size(document["memory_available"])
            return f"{value:,} tokens fit in {free} free" if value else f"none fits in {free} free"
        case "parameters":
            return f"{count(value)} ({value:,})"
        case "tensor_types":
            whole = max(1, sum(value.values()))
            return ", ".join(f"{kind} {size(n)} ({n / whole:.0%})" for kind, n in value.items())
        case "effect":
            return _effect_words(value)
        case _:
            return _plain(value)


def _effect_words(effect: dict[str, Any]) -> str:
    from ...models.adapters.effect import Effect

    measured = Effect(effect["logit"], effect["probability"], effect["noise"])
    return measured.verdict() or measured.numbers


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else str(value)
