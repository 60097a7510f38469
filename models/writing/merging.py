"""Write a base model with adapters merged into it; what they leave alone is copied byte for byte."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np

from ..engine.quantizing import Packing
from ..errors import ModelError
from ..gguf.header import Header, TensorInfo, read_header
from ..gguf.split import read_parts
from ..gguf.types import TENSOR_TYPES
from ..hashing import sha256_file
from .layout import (
    TYPE_NUMBERS,
    PlannedTensor,
    header,
    number_entry,
    numbers_entry,
    padding,
    text_entry,
    texts_entry,
)
from .tasks import Merge, Progress
from .weights import PIECE, Cut, MergedWeight, OpenAdapter, Piece, Stored

WIDE = ("F32", "BF16")
"""Types whose numbers F16 cannot hold, in digits or in size."""
REPLACED = ("split.", "general.base_model.", "llamadiff.merge.")
"""Beginnings of the metadata that is true of the base alone."""

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Change:
    """What a merge changed: the weights, the summed squares of the change that was meant and of
    what rounding missed of it, and the names of the adapters that change nothing."""

    weights: frozenset[str]
    meant: float
    missed: float
    idle: tuple[str, ...]

    @property
    def rounding(self) -> float | None:
        """What rounding missed, as a share of the change; None when there is none."""
        return math.sqrt(self.missed / self.meant) if self.meant else None


def merge_files(task: Merge, packing: Packing, threads: int, report: Report) -> Change:
    """Carry out `task`; returns what it changed.

    Raises ModelError when a file cannot be read or a merged weight is no number any more, OSError
    when `out` cannot be written.
    """
    hashes = _hash(task, report)
    parts = read_parts(read_header(Path(task.base[0])))
    stack = [OpenAdapter(Path(use.path), use.scale, packing) for use in task.stack]
    changed = {weight for adapter in stack for weight in adapter.weights}
    tensors = [(part, tensor) for part in parts for tensor in part.tensors]
    plans = [_plan(tensor, task.loose if tensor.name in changed else None) for _, tensor in tensors]
    total, written, meant, missed = sum(plan.n_bytes for plan in plans), 0, 0.0, 0.0
    alignment = parts[0].alignment
    with Path(task.out).open("wb") as out, ThreadPoolExecutor(threads) as pool:
        out.write(header(_entries(parts[0], task, hashes), plans, alignment))
        for (part, tensor), plan in zip(tensors, plans, strict=True):
            source = Stored(part, tensor)
            if tensor.name in changed:
                pieces = _in_order(pool, threads, MergedWeight(source, plan, stack, packing))
            else:
                pieces = _copied(source)
            for piece in pieces:
                out.write(piece.data.data)
                written += len(piece.data)
                meant, missed = meant + piece.meant, missed + piece.missed
                report(Progress("merging", written, total))
            out.write(bytes(padding(plan.n_bytes, alignment)))
    idle = tuple(use.name for use, it in zip(task.stack, stack, strict=True) if it.idle)
    return Change(frozenset(changed), meant, missed, idle)


def quantized_again(change: Change, source: Path, out: Path, packing: Packing) -> Change:
    """`change` with what `out` misses of it, which was quantized from the merged file `source`.

    The errors of the two files have nothing to do with each other, so that their squares add up.
    """
    header = read_header(out)
    others = {tensor.name: Stored(header, tensor) for tensor in header.tensors}
    header = read_header(source)
    missed = change.missed + sum(
        _distance(Stored(header, tensor), others[tensor.name], packing)
        for tensor in header.tensors
        if tensor.name in change.weights
    )
    return replace(change, missed=missed)


def _distance(a: Stored, b: Stored, packing: Packing) -> float:
    """The summed squares of the differences of two tensors of one shape."""
    width, rows = a.tensor.shape[0], math.prod(a.tensor.shape[1:])
    step = max(1, PIECE // width)
    return sum(
        float(np.square(one - other).sum(dtype=np.float64))
        for start in range(0, rows, step)
        for one, other in [[it.numbers(start, min(start + step, rows), packing) for it in (a, b)]]
    )


def _in_order(pool: ThreadPoolExecutor, threads: int, weight: MergedWeight) -> Iterator[Piece]:
    """The pieces of a weight, as many at a time as there are threads, which share the memory."""
    cuts = weight.cuts(PIECE // threads)
    while some := list[Cut](islice(cuts, threads)):
        yield from pool.map(weight.piece, some)


def _copied(source: Stored) -> Iterator[Piece]:
    size = source.tensor.n_bytes
    for start in range(0, size, PIECE):
        yield Piece(source.read(start, min(start + PIECE, size)), 0, 0)


def _hash(task: Merge, report: Report) -> list[str]:
    """The hashes of the base's files, then of the adapters'."""
    paths = [Path(path) for path in (*task.base, *(use.path for use in task.stack))]
    try:
        sizes = [path.stat().st_size for path in paths]
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read: {error.strerror}.") from None
    hashes: list[str] = []
    for i, path in enumerate(paths):
        before = sum(sizes[:i])

        def progress(done: int, before: int = before) -> None:
            report(Progress("hashing", before + done, sum(sizes)))

        progress(0)
        hashes.append(sha256_file(path, Path(task.cache_dir), progress))
    return hashes


def _plan(tensor: TensorInfo, loose: str | None) -> PlannedTensor:
    kind = tensor.type_name
    if loose:
        kind = "F32" if kind in WIDE else loose
    layout = TENSOR_TYPES[TYPE_NUMBERS[kind]]
    return PlannedTensor(tensor.name, tensor.shape, layout, layout.size_of(math.prod(tensor.shape)))


def _entries(base: Header, task: Merge, hashes: Sequence[str]) -> list[bytes]:
    """The base's metadata as it is, and where the merged model comes from.

    What is general goes first: lists of models read no further than to the vocabulary.
    """
    general: list[bytes] = []
    other: list[bytes] = []
    with base.path.open("rb") as file:
        for key, (start, end) in base.spans.items():
            if key != "general.name" and not key.startswith(REPLACED):
                file.seek(start)
                entry = file.read(end - start)
                (general if key.startswith("general.") else other).append(entry)
    files = len(task.base)
    return [
        *general,
        text_entry("general.name", task.title),
        number_entry("general.base_model.count", "u32", 1),
        text_entry("general.base_model.0.name", task.base_name),
        text_entry("llamadiff.merge.version", version("llamadiff")),
        texts_entry("llamadiff.merge.base_sha256", hashes[:files]),
        texts_entry("llamadiff.merge.adapters", [use.name for use in task.stack]),
        texts_entry("llamadiff.merge.adapters_sha256", hashes[files:]),
        numbers_entry("llamadiff.merge.scales", "f32", [use.scale for use in task.stack]),
        *other,
    ]
