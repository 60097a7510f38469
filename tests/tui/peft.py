"""PEFT folders for the bundled model, written without PEFT."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from llamadiff.models.catalog import default_model


def write_peft(folder: Path, rank: int = 4, **config: object) -> Path:
    """A PEFT adapter for the bundled model, on every output projection."""
    base = default_model().facts
    folder.mkdir()
    document = {"peft_type": "LORA", "r": rank, "lora_alpha": 8} | config
    (folder / "adapter_config.json").write_text(json.dumps(document))
    rng = np.random.default_rng(0)
    tensors: dict[str, np.ndarray] = {}
    for layer in range(base.layers):
        key = f"base_model.model.model.layers.{layer}.self_attn.o_proj.lora_"
        row, rows = base.shapes[f"blk.{layer}.attn_output.weight"]
        tensors[f"{key}A.weight"] = rng.standard_normal((rank, row)).astype(np.float32)
        tensors[f"{key}B.weight"] = rng.standard_normal((rows, rank)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder
