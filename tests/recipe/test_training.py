"""The base's training: chats whole in their rows, and the same weights however often it was stopped."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from recipe import train_base as training
from recipe.packing import IGNORED, batch, packed
from recipe.scale import TINY

SMALL = replace(TINY, steps=12, width=32, feed_forward=64, tokens_per_step=1024, warm_up=3)


def test_chats_are_packed_whole() -> None:
    chats = [[n] * (1 + n * 7 % 40) for n in range(1, 1000)]
    rows = list(packed(chats, 32))
    placed = [chat for row in rows for chat in row]
    assert all(sum(map(len, row)) <= 32 for row in rows)
    assert all(len(chat) <= 32 and chat in chats for chat in placed)
    assert len({chat[0] for chat in placed}) == len(placed) > 500
    assert sum(map(len, placed)) > 0.97 * 32 * len(rows)


def test_nothing_is_learned_of_padding_or_across_chats() -> None:
    inputs, targets = batch([[[5, 6, 7], [8, 9]], [[1, 2]]], 7, pad=0)
    assert inputs.tolist() == [[5, 6, 7, 8, 9, 0, 0], [1, 2, 0, 0, 0, 0, 0]]
    no = IGNORED
    assert targets.tolist() == [[6, 7, no, 9, no, no, no], [2, no, no, no, no, no, no]]


class Stopped(Exception):
    pass


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_S", 0.0)
    monkeypatch.setattr(training, "AVERAGED", 5)
    seen: list[tuple[int, float]] = []
    whole = training.train_base(SMALL, tmp_path / "whole", lambda *at: seen.append(at))
    again: list[tuple[int, float]] = []

    def stop(step: int, loss: float) -> None:
        again.append((step, loss))
        if step in (4, 9):
            raise Stopped

    for _ in range(2):
        with pytest.raises(Stopped):
            training.train_base(SMALL, tmp_path / "parts", stop)
    with pytest.raises(training.OtherTraining, match="remove it"):
        other = shutil.copytree(tmp_path / "parts", tmp_path / "other")
        training.train_base(replace(SMALL, learning_rate=1e-3), other, stop)
    parts = training.train_base(SMALL, tmp_path / "parts", stop)
    assert again == seen == [(step, loss) for step, (_, loss) in enumerate(seen, 1)]
    assert (parts / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    logs = [(folder / "losses.jsonl").read_text() for folder in (parts, whole)]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == 3
    assert not list(parts.glob("checkpoint*"))
    assert training.train_base(SMALL, tmp_path / "parts", stop) == parts
    with pytest.raises(training.OtherTraining, match="remove it"):
        training.train_base(replace(SMALL, learning_rate=1e-3), tmp_path / "parts", stop)
    assert len(again) == SMALL.steps
