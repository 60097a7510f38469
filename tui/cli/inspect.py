"""`llamadiff inspect`: what a model or adapter file is, and whether it fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import complete_model
from .printing import count, data, print_json, size


@click.command("inspect")
@click.argument("file", type=click.Path(), shell_complete=complete_model)
@click.option("--base", metavar="MODEL", help="For an adapter: check that it fits this base model.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def inspect_command(file: str, base: str | None, as_json: bool) -> None:
    """Show the metadata of FILE: a GGUF file, or a name from the catalog."""
    document = _document(file, base)
    if as_json:
        print_json(document, indent=True)
        return
    width = max(map(len, document))
    from ..safe_text import safe_line

    for key, value in document.items():
        data(f"{key.replace('_', ' '):{width}}  {safe_line(_words(key, value))}")


def _document(file: str, base: str | None) -> dict[str, Any]:
    from ...models.adapters.preflight import check_fit
    from ...models.catalog import resolve_adapter, resolve_model
    from ...models.errors import ModelError
    from ...models.gguf.header import read_header

    path = Path(file)
    if path.is_dir():
        raise ModelError(f"{file} is a folder; give a .gguf file in it.")
    is_file = path.is_file()
    if is_file:
        path = path.absolute()
    adapter = is_file and read_header(path).metadata.get("general.type") == "adapter"
    if not is_file:
        try:
            path = resolve_adapter(file).facts.path
            adapter = True
        except ModelError:
            path = resolve_model(file).facts.path
    if adapter:
        facts = resolve_adapter(str(path)).facts
        if base:
            check_fit(facts, resolve_model(base).facts)
        document = _adapter(facts)
        if base:
            document["fits"] = base
        return document
    if base:
        raise ModelError(f"{file} is a base model; --base goes with an adapter.")
    return _model(resolve_model(str(path)).facts)


def _model(facts: Any) -> dict[str, Any]:
    from ...models.memory import estimate

    n_ctx = min(facts.context, 4096)
    memory = estimate(facts, n_ctx=n_ctx, n_seq=1)
    return {
        "kind": "model",
        "name": facts.name,
        "path": str(facts.path),
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "quantization": facts.quantization,
        "bytes": facts.bytes,
        "context": facts.context,
        "layers": facts.layers,
        "embedding": facts.embedding,
        "heads": facts.heads,
        "kv_heads": facts.kv_heads,
        "vocabulary": facts.vocab_size,
        "tied_embeddings": facts.tied_embeddings,
        "chat_template": bool(facts.chat_template),
        "license": facts.license,
        "tensor_types": dict(facts.bytes_by_type),
        "memory_context": n_ctx,
        "memory_bytes": memory.total,
    }


def _adapter(facts: Any) -> dict[str, Any]:
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
    }


def _words(key: str, value: Any) -> str:
    if key in ("bytes", "memory_bytes"):
        return size(value)
    if key == "parameters":
        return f"{count(value)} ({value:,})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {size(taken)}" for name, taken in value.items())
    if isinstance(value, list):
        return ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else str(value)
