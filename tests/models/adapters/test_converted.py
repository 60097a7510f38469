"""A PEFT folder that is picked is converted once, and again when it or the base has changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from llamadiff.models.adapters.converted import converted, kept
from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model

DIM, RANK = 64, 4


@pytest.fixture
def peft(tmp_path: Path) -> Path:
    """A PEFT folder for the small llama."""
    folder = tmp_path / "poet"
    folder.mkdir()
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 8, "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
    tensors = {f"{key}A.weight": np.ones((RANK, DIM)), f"{key}B.weight": np.ones((DIM, RANK))}
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def test_a_folder_is_converted_once(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = check_model(write_model())
    told: list[int] = []

    def ask() -> Path:
        return converted(
            peft, base, tmp_path / "cache", progress=lambda what, done, total: told.append(done)
        ).path

    first = ask()
    assert first.name.startswith("poet-") and told
    check_fit(check_adapter(first), base)
    told.clear()
    assert ask() == first and not told
    weights = peft / "adapter_model.safetensors"
    os.utime(weights, ns=(1, 1))
    second = ask()
    assert second != first and second.exists() and told
    base = check_model(write_model(quantized=False))
    assert ask() != second


def test_what_cannot_be_converted_is_said(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = check_model(write_model())
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be used"):
        converted(peft, base, tmp_path / "file")
    (peft / "adapter_config.json").unlink()
    with pytest.raises(ModelError, match=r"no adapter_config\.json"):
        converted(peft, base, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("adapters/*"))


def test_a_long_name_is_cut(peft: Path, write_model: Callable[..., Path], tmp_path: Path) -> None:
    base = check_model(write_model())
    for name in ("p" * 240, "ü" * 120):
        folder = peft.rename(peft.with_name(name))
        assert converted(folder, base, tmp_path / "cache").path.name.startswith(name[:40])
        peft = folder


def test_a_damaged_file_is_made_again(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = check_model(write_model())
    path = converted(peft, base, tmp_path / "cache").path
    whole = path.read_bytes()
    for damaged in (b"", whole[:1000], whole[:-10]):
        path.write_bytes(damaged)
        assert converted(peft, base, tmp_path / "cache").path == path
        check_fit(check_adapter(path), base)


def test_another_format_is_another_file(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = check_model(write_model())
    first = kept(peft, base, tmp_path)
    monkeypatch.setattr("llamadiff.models.adapters.converted.FORMAT", 1000)
    assert kept(peft, base, tmp_path) != first


def test_notes_come_with_a_kept_file_too(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    path = peft / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"new\x1b[2Jthing": True}))
    base = check_model(write_model())
    for _ in range(2):
        (sentence,) = converted(peft, base, tmp_path / "cache").notes
        assert "thing" in sentence and sentence.isprintable()


def test_what_was_abandoned_is_swept(
    peft: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "adapters"
    folder.mkdir(parents=True)
    old, new = folder / ".a.gguf.123.part", folder / ".b.gguf.456.part"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    path = converted(peft, check_model(write_model()), tmp_path / "cache").path
    assert sorted(folder.iterdir()) == [new, path]
