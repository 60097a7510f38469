"""A PEFT folder that is picked is converted once, and again when it or the base has changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from llamadiff.models.adapters.converted import converted
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
            peft, base, tmp_path / "cache", progress=lambda done, total: told.append(done)
        )

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
