"""Which rows a step learns from, and how they lie in the tensors that the model is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .rows import Row, TrainingRow, sequences
from .settings import TuningSettings

if TYPE_CHECKING:
    import torch

IGNORED = -100
"""A target that no loss counts."""


def rows_of_step(step: int, n_rows: int, settings: TuningSettings) -> list[int]:
    """Which rows the step (from 0) learns from: those of every epoch in an order of its own.

    A function of the seed alone, so that a training that goes on needs to remember no order.
    """

    import torch

    epoch, place = divmod(step, settings.steps_per_epoch(n_rows))
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
    order = torch.randperm(n_rows, generator=generator).tolist()
    start = place * settings.rows_per_step
    return order[start : start + settings.rows_per_step]


def batches(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """The rows in batches of `size`, those of like length together; the longest first."""
    longest = sorted(rows, key=lambda row: max(len(it.tokens) for it in sequences([row])))[::-1]
    return [longest[i : i + size] for i in range(0, len(longest), size)]


@dataclass(frozen=True)
class Layout:
    """Sequences as tensors: `ids` and `positions` (lines, length).

    The model is asked for its logits at `kept` (places in a line, ascending); `targets` (lines,
    kept) are the tokens to be found there, or IGNORED. `owners` (lines, kept) says whose they are.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    kept: torch.Tensor
    targets: torch.Tensor
    owners: torch.Tensor

    def to(self, device: torch.device) -> Layout:
        return Layout(*(tensor.to(device) for tensor in vars(self).values()))


def lay_out(rows: Sequence[TrainingRow], *, packed_to: int | None = None) -> Layout:
    """Lay out sequences, one to a line, or several end to end in lines of `packed_to` tokens.

    Lines are filled up on the right, where causal attention keeps it from mattering. Positions
    begin anew with every sequence, by which transformers keeps packed ones apart (its
    masking_utils.find_packed_sequence_indices).
    """

    import torch

    lines = _fill(rows, packed_to) if packed_to else [[i] for i in range(len(rows))]
    length = max(sum(len(rows[i].tokens) for i in line) for line in lines)
    ids = torch.zeros(len(lines), length, dtype=torch.long)
    positions = torch.zeros_like(ids)
    targets = torch.full_like(ids, IGNORED)
    owners = torch.zeros_like(ids)
    for number, line in enumerate(lines):
        at = 0
        for i in line:
            tokens, n = torch.tensor(rows[i].tokens), len(rows[i].tokens)
            ids[number, at : at + n] = tokens
            marked = torch.tensor(rows[i].trained[1:])
            targets[number, at : at + n - 1] = torch.where(marked, tokens[1:], IGNORED)
            owners[number, at : at + n] = i
            positions[number, at : at + n] = torch.arange(n)
            at += n
        last = len(rows[line[-1]].tokens)
        positions[number, at:] = torch.arange(last, last + length - at)
    kept = (targets != IGNORED).any(0).nonzero().flatten()
    return Layout(ids, positions, kept, targets[:, kept], owners[:, kept])


def _fill(rows: Sequence[TrainingRow], length: int) -> list[list[int]]:
    """Which sequences go into which line: each, the longest first, into the first with room."""
    lines: list[tuple[int, list[int]]] = []
    for i in sorted(range(len(rows)), key=lambda i: -len(rows[i].tokens)):
        n = len(rows[i].tokens)
        for number, (room, line) in enumerate(lines):
            if room >= n:
                lines[number] = (room - n, [*line, i])
                break
        else:
            lines.append((length - n, [i]))
    return [line for _, line in lines]
