"""The losses that are trained on: of marked tokens, and of preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .batches import IGNORED, lay_out
from .rows import PreferenceRow, Row, TrainingRow, sequences

if TYPE_CHECKING:
    import torch


@dataclass
class Sums:
    """What a loss adds up over rows: nats, and what they are divided by.

    Of preferences also the margin, by how many nats more than the base the model prefers the
    chosen answers, and how many it prefers at all.
    """

    nats: float = 0.0
    weight: int = 0
    margin: float = 0.0
    right: int = 0

    def add(self, other: Sums) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def loss(self) -> float:
        return self.nats / self.weight


class Objective(Protocol):
    """What is learned from rows."""

    def weight(self, rows: Sequence[Row]) -> int:
        """What the rows' loss is divided by."""
        ...

    def __call__(self, model: Any, rows: Sequence[Row]) -> tuple[torch.Tensor, Sums]:
        """The rows' loss, not divided, to be differentiated; and the same in numbers."""
        ...


def token_losses(model: Any, rows: Sequence[TrainingRow], packed_to: int | None) -> torch.Tensor:
    """Nats of each sequence's marked tokens, summed: shape (rows,)."""

    import torch

    layout = lay_out(rows, packed_to=packed_to).to(model.device)
    out = model(
        input_ids=layout.ids,
        position_ids=layout.positions,
        logits_to_keep=layout.kept,
        use_cache=False,
    )
    logits, targets = out.logits.flatten(0, 1).float(), layout.targets.flatten()
    losses = torch.nn.functional.cross_entropy(
        logits, targets, ignore_index=IGNORED, reduction="none"
    )
    mine = layout.owners.flatten() == torch.arange(len(rows), device=model.device)[:, None]
    return mine.float() @ losses


class Learning:
    """Supervised: the nats of marked tokens, divided by their number in the whole step.

    Every token counts the same, however rows are batched or packed.
    """

    def __init__(self, packed_to: int | None) -> None:
        self._packed_to = packed_to

    def weight(self, rows: Sequence[Row]) -> int:
        return sum(row.learned for row in sequences(rows))

    def __call__(self, model: Any, rows: Sequence[Row]) -> tuple[torch.Tensor, Sums]:
        total = token_losses(model, sequences(rows), self._packed_to).sum()
        return total, Sums(total.item(), self.weight(rows))


class Preferring:
    """Direct preference optimization (Rafailov et al. 2023, equation 7), divided by the pairs.

    The reference is the base, which is the same model with its adapter off. What it says of a row
    is computed once, when the row is first met.
    """

    def __init__(self, beta: float, packed_to: int | None) -> None:
        self._beta, self._packed_to = beta, packed_to
        self.reference: dict[str, float] = {}
        """By a row's key, how many nats likelier its chosen answer is to the base."""

    def weight(self, rows: Sequence[Row]) -> int:
        return len(rows)

    def __call__(self, model: Any, rows: Sequence[Row]) -> tuple[torch.Tensor, Sums]:
        import torch

        new = [row for row in rows if row.key not in self.reference]
        if new:
            training = model.training
            with torch.no_grad(), model.eval().disable_adapter():
                leads = self._leads(model, new).tolist()
            model.train(training)
            self.reference |= {row.key: lead for row, lead in zip(new, leads, strict=True)}
        base = torch.tensor([self.reference[row.key] for row in rows], device=model.device)
        margins = self._leads(model, rows) - base
        loss = -torch.nn.functional.logsigmoid(self._beta * margins).sum()
        nats, margin = loss.item(), margins.sum().item()
        return loss, Sums(nats, len(rows), margin, int((margins > 0).sum().item()))

    def _leads(self, model: Any, rows: Sequence[Row]) -> torch.Tensor:
        """How many nats likelier each chosen answer is than the rejected one."""
        assert all(isinstance(row, PreferenceRow) for row in rows)
        losses = token_losses(model, sequences(rows), self._packed_to).view(-1, 2)
        return losses[:, 1] - losses[:, 0]
