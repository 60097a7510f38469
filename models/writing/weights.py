"""A weight with the adapters of a stack added to it, a few rows at a time.

What is added is what llama.cpp adds to the weight's product: scale × alpha / rank × B·A
(llama-adapter.h), and A·Bᵀ for the token embedding (llama-graph.cpp).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..engine.quantizing import Floats, Packed, Packing
from ..errors import ModelError
from ..gguf.check import check_adapter
from ..gguf.header import Header, TensorInfo, read_header
from .layout import TYPE_NUMBERS, PlannedTensor

PIECE = 4 << 20
"""Numbers that are worked on at once, by all threads together; about five arrays of float32 each."""


@dataclass(frozen=True)
class Stored:
    """A tensor as it lies in its file."""

    file: Header
    tensor: TensorInfo

    def read(self, start: int, end: int) -> Packed:
        """Its bytes from `start` to `end`. Raises ModelError when the file has them no more."""
        assert self.file.data_offset is not None
        offset = self.file.data_offset + self.tensor.offset + start
        data = np.fromfile(self.file.path, np.uint8, end - start, offset=offset)
        if len(data) < end - start:
            raise ModelError(f"{self.file.path} was changed while it was read; start again.")
        return data

    def numbers(self, start: int, end: int, packing: Packing) -> Floats:
        """The numbers of the rows `start` to `end`, in order."""
        width, rows = self.tensor.shape[0], math.prod(self.tensor.shape[1:])
        row = self.tensor.n_bytes // rows
        data = self.read(start * row, end * row)
        return packing.unpack(TYPE_NUMBERS[self.tensor.type_name], data, (end - start) * width)


class OpenAdapter:
    """An adapter of the stack. Raises ModelError for a file that is none."""

    def __init__(self, path: Path, scale: float, packing: Packing) -> None:
        self._facts = check_adapter(path)
        self._header = read_header(path)
        self._scale = scale
        self._packing = packing
        self.weights = self._facts.pairs.keys()
        self.idle = True
        """Whether all pairs looked at until now change nothing: A or B is zero throughout."""

    def factors(self, weight: str) -> tuple[Floats, Floats]:
        """What is multiplied: shape (matrices, rows, rank), the scale in it, and (matrices, rank, width)."""
        a, b = self._facts.pairs[weight]
        down, up = self._numbers(a), self._numbers(b)
        if weight.endswith("token_embd.weight"):
            up, down = down, up.swapaxes(1, 2)
        self.idle = self.idle and not (up.any() and down.any())
        alpha, rank = self._facts.alpha, up.shape[2]
        return up * np.float32(self._scale * alpha / rank if alpha else self._scale), down

    def _numbers(self, half: TensorInfo) -> Floats:
        data = Stored(self._header, half).read(0, half.n_bytes)
        kind, (width, rows) = TYPE_NUMBERS[half.type_name], half.shape[:2]
        numbers = self._packing.unpack(kind, data, math.prod(half.shape))
        return numbers.reshape(-1, rows, width)


@dataclass(frozen=True)
class Cut:
    """Rows `start` to `end` of one matrix of a tensor (each expert has its own)."""

    matrix: int
    start: int
    end: int


@dataclass(frozen=True)
class Piece:
    """Merged rows as the file holds them; the summed squares of the change that was meant, and of
    what rounding missed of it."""

    data: Packed
    meant: float
    missed: float


class MergedWeight:
    """A tensor of the base with its share of the stack."""

    def __init__(
        self, source: Stored, plan: PlannedTensor, stack: Sequence[OpenAdapter], packing: Packing
    ) -> None:
        tensor = source.tensor
        self._source, self._packing, self._plan = source, packing, plan
        self._width, self._rows = tensor.shape[:2]
        self._matrices = math.prod(tensor.shape[2:])
        self._factors = [it.factors(tensor.name) for it in stack if tensor.name in it.weights]

    def cuts(self, numbers: int) -> Iterator[Cut]:
        """The pieces of the tensor, in the file's order: whole rows of about so many numbers."""
        step = max(1, numbers // self._width)
        for matrix in range(self._matrices):
            for start in range(0, self._rows, step):
                yield Cut(matrix, start, min(start + step, self._rows))

    def piece(self, cut: Cut) -> Piece:
        """The rows of a cut. Raises ModelError when they are no numbers any more."""
        count, first = cut.end - cut.start, cut.matrix * self._rows + cut.start
        base = self._source.numbers(first, first + count, self._packing)
        base = base.reshape(count, self._width)
        change = np.zeros_like(base)
        for up, down in self._factors:
            change += up[cut.matrix, cut.start : cut.end] @ down[cut.matrix]
        merged: Floats = base + change
        kind = self._plan.kind
        number = TYPE_NUMBERS[kind.name]
        packed = self._packing.pack(number, merged, kind.size_of(merged.size))
        written = self._packing.unpack(number, packed, merged.size).reshape(merged.shape)
        missed: Floats = written - merged
        piece = Piece(packed, _squares(change), _squares(missed))
        if not math.isfinite(piece.missed):
            raise ModelError(
                f"{self._plan.name} is past what {kind.name} holds once the adapters are merged, or "
                "they hold what is no number; merge them at smaller scales."
            )
        return piece


def _squares(numbers: Floats) -> float:
    return float(np.square(numbers).sum(dtype=np.float64))
