"""From a file's head to its line in the catalog, with what is wrong about it."""

from __future__ import annotations

from ..errors import plain
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
        _problem(item),
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
        _of_candidate(item) or head.problem,
    )


def _of_candidate(item: Item) -> str | None:
    candidate = item.candidate
    return plain(f"{candidate.path} {candidate.problem}") if candidate.problem else None


def _problem(item: Item) -> str | None:
    head, path = item.head, plain(item.candidate.path)
    known = _of_candidate(item) or head.problem
    if known is not None:
        return known
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
