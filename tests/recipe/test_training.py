"""The base's training: chats whole in their rows, and the same weights however often it was stopped."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recipe import train_base as training
from recipe.packing import IGNORED, batch, packed
from recipe.scale import FULL, TINY

SMALL = replace(TINY, steps=12, warm_up=3)


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


def test_a_fresh_model_expects_what_followed_a_token_before(tmp_path: Path) -> None:
    scale = replace(FULL, vocabulary=600, tokenizer_chats=300, layers=3)
    tokenizer = training.make_tokenizer(scale, tmp_path)
    torch.manual_seed(3)
    model = training.make_model(scale, tokenizer).eval()
    letters = [
        token.removeprefix("Ġ").lower() for token in tokenizer.convert_ids_to_tokens([*range(600)])
    ]
    different = [at for at, token in enumerate(letters) if token not in letters[:at]]
    told = torch.tensor(different)[torch.randperm(len(different))[:60]]
    with torch.no_grad():
        logits = model(input_ids=torch.cat((told, told))[None]).logits[0]
    expected = logits[60:-1].argmax(-1)
    assert int((expected == told[1:]).sum()) > 50
    before = logits[:59].argmax(-1)
    assert int((before == told[1:]).sum()) < 5
    vocabulary = tokenizer.get_vocab()
    weights = model.get_input_embeddings().weight.detach()
    pairs = [
        (vocabulary[t], vocabulary[t[1:]])
        for t in vocabulary
        if t[1:] in vocabulary and t[0] == "Ġ"
    ]
    like = [torch.cosine_similarity(weights[one], weights[two], dim=0) for one, two in pairs]
    unlike = torch.cosine_similarity(weights[different[50]], weights[different[60]], dim=0)
    assert len(like) > 20 and float(min(like)) > 0.7 > float(unlike)
