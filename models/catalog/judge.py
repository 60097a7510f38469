"""From a file's head to its line in the catalog, with what is wrong about it."""

from __future__ import annotations

from pathlib import Path

from ..adapters.convertible import refusal
from ..errors import named, plain
from ..gguf.architectures import CAUSAL, NOT_CAUSAL
from .entries import AdapterEntry, ModelEntry
from .heads import quantization_in
from .names import Item
from .peft import peft_entry

_OTHER_KINDS = {
    "mmproj": "a projector",
    "imatrix": "an importance matrix",
}


def model_entry(item: Item) -> ModelEntry:
    """The line of a base model, or of what was taken for one."""
    candidate, head = item.candidate, item.head
    return ModelEntry(
        item.name,
        candidate.path,
        candidate.source,
        head.architecture,
        head.parameters,
        head.quantization or candidate.quantization or quantization_in(candidate.name),
        candidate.bytes,
        head.context,
        problem_of(item),
    )


def adapter_entry(item: Item) -> AdapterEntry:
    """The line of an adapter."""
    candidate, head = item.candidate, item.head
    if candidate.peft:
        return peft_entry(candidate, item.name)
    return AdapterEntry(
        item.name,
        candidate.path,
        candidate.source,
        head.architecture,
        head.rank,
        head.alpha,
        head.targets,
        head.base,
        candidate.bytes,
        problem_of(item),
    )


def problem_of(item: Item) -> str | None:
    """Why an item cannot be used as it is, in one sentence."""
    candidate, head = item.candidate, item.head
    path = shown_path(item)
    if candidate.problem:
        return plain(f"{path} {candidate.problem}")
    if head.problem:
        return named(head.problem, candidate.path, path)
    if candidate.peft:
        return refusal(Path(candidate.path))
    return None if item.kind == "adapter" else _no_base_model(item, path)


def shown_path(item: Item) -> str:
    """What sentences call an item: its path, or its name where the file's own is a hash."""
    return item.name if item.candidate.source == "ollama" else plain(item.candidate.path)


def _no_base_model(item: Item, path: str) -> str | None:
    head = item.head
    architecture = head.architecture or ""
    what = _OTHER_KINDS.get(head.kind)
    if what is None and architecture in NOT_CAUSAL:
        what = NOT_CAUSAL[architecture].partition(" (")[0]
    if what is None and not head.causal:
        what = "a text-embedding model"
    if what is None and head.empty:
        what = "a vocabulary without weights"
    if what is not None:
        return f"{path} is {what}, not a base model."
    if architecture not in CAUSAL:
        return (
            f"{path} is of the architecture {architecture}, which this llama.cpp does not know; "
            "update llamadiff or use another model."
        )
    return None
