"""What the losses count: marked tokens alone, the same packed or padded, and preferences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning.base import load_base
from llamadiff.models.tuning.batches import IGNORED, batches, lay_out, rows_of_step
from llamadiff.models.tuning.lora import put_on, trained_parameters
from llamadiff.models.tuning.losses import Learning, Preferring
from llamadiff.models.tuning.rows import TrainingRow, sequences
from llamadiff.models.tuning.settings import TuningSettings

from .training import FEW, preferences, rows

if TYPE_CHECKING:
    import torch


@pytest.fixture(scope="module")
def model(base: Path) -> Any:
    """The bundled model with an adapter that changes something."""
    import torch

    model = put_on(load_base(check_model(base), None, "f32", 1), FEW)
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in trained_parameters(model):
            weights.add_(torch.randn_like(weights) * 0.02)
    return model


def made(n: int) -> list[TrainingRow]:
    return rows(n, vocabulary=2000)


def gradient(model: Any, loss: torch.Tensor) -> torch.Tensor:
    import torch

    model.zero_grad()
    loss.backward()
    return torch.cat([it.grad.flatten() for it in trained_parameters(model)])


def test_packed_or_padded_the_loss_and_its_gradient_are_the_same(model: Any) -> None:
    padded, said = Learning(None)(model, made(7))
    one = gradient(model, padded)
    for length in (24, 64, 400):
        packed, again = Learning(length)(model, made(7))
        assert packed.item() == pytest.approx(padded.item(), rel=1e-6)
        assert said.weight == again.weight == sum(row.learned for row in made(7))
        assert (gradient(model, packed) - one).abs().max() < 1e-5 * one.abs().max()


def test_attention_does_not_cross_packed_rows(model: Any) -> None:
    import torch

    first, second = made(2)
    other = replace(first, tokens=tuple(it + 7 for it in first.tokens))
    layouts = [lay_out([row, second], packed_to=200) for row in (first, other)]
    assert all(layout.ids.shape[0] == 1 for layout in layouts)
    with torch.no_grad():
        both = [
            model(input_ids=it.ids, position_ids=it.positions, use_cache=False).logits[0]
            for it in layouts
        ]
        alone = model(input_ids=torch.tensor([second.tokens])).logits[0]
    at = layouts[0].owners[0].tolist()
    assert set(at) == {0, 1}
    longer_first = len(first.tokens) >= len(second.tokens)
    mine = slice(len(first.tokens), None) if longer_first else slice(0, len(second.tokens))
    assert torch.equal(both[0][mine], both[1][mine])
    assert (both[0][mine] - alone).abs().max() < 1e-4


def test_tokens_that_are_not_marked_are_no_targets(model: Any) -> None:

    row = made(1)[0]
    half = len(row.tokens) // 2
    layout = lay_out([row])
    assert layout.targets[layout.targets != IGNORED].tolist() == list(row.tokens[half:])
    embeddings = model.get_input_embeddings()
    seen: list[torch.Tensor] = []

    def keep(_: Any, __: Any, out: torch.Tensor) -> None:
        out.requires_grad_(True)
        out.retain_grad()
        seen.append(out)

    hook = embeddings.register_forward_hook(keep)
    short = replace(row, trained=tuple(i == half for i in range(len(row.tokens))))
    Learning(None)(model, [short])[0].backward()
    hook.remove()
    grads = seen[0].grad
    assert grads is not None
    # only what comes before the one marked token has a part in its loss
    assert grads[0, half - 1].abs().max() > 0 and grads[0, half:].abs().max() == 0


def test_the_last_row_of_an_epoch_is_not_left_out_and_no_row_comes_twice() -> None:
    settings = TuningSettings(batch=2, accumulation=2)
    epochs = [
        [i for step in range(e, e + 3) for i in rows_of_step(step, 10, settings)] for e in (0, 3)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10)) and epochs[0] != epochs[1]
    assert epochs[0] != [
        i for step in range(3) for i in rows_of_step(step, 10, replace(settings, seed=1))
    ]
    lengths = [len(row.tokens) for batch in batches(made(9), 4) for row in sequences(batch)]
    assert lengths == sorted(lengths, reverse=True) and len(lengths) == 9


def test_the_reference_is_the_base_and_is_asked_once(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    pairs = preferences(3, vocabulary=2000)
    objective, calls = Preferring(0.1, None), 0
    real: Callable[..., Any] = model.forward

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return real(*given, **named)

    monkeypatch.setattr(model, "forward", counted)
    loss, said = objective(model, pairs)
    assert calls == 2
    again, _ = objective(model, pairs)
    assert calls == 3 and again.item() == loss.item()
    assert set(objective.reference) == {row.key for row in pairs}
    with torch.no_grad(), model.disable_adapter():
        off, base = Preferring(0.1, None)(model, pairs)
    assert base.margin == pytest.approx(0, abs=1e-3) and off.item() == pytest.approx(
        3 * 0.6931, rel=1e-3
    )
    assert abs(said.margin) > 0.01
