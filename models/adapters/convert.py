"""Turn a PEFT LoRA folder into a GGUF adapter for one base model.

PEFT's files are described in its `peft.LoraConfig`; the GGUF side (keys, `.lora_a` and `.lora_b`
in PEFT's own layout, the order of the rotary rows) is what llama.cpp's llama-adapter.cpp and its
llama models read. Only the llama layout is known so far.
"""

import json
import math
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ModelError
from ..gguf.facts import ModelFacts

if TYPE_CHECKING:
    import numpy as np

OutType = Literal["f16", "f32"]

_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq")


def convert(
    folder: Path, out: Path, base: ModelFacts, *, name: str, outtype: OutType = "f16"
) -> None:
    """Write the adapter in `folder` to `out`, for `base`, under the title `name`.

    The file appears at `out` only once it is complete. Raises ModelError, one sentence, when the
    folder is not a PEFT LoRA, uses what llama.cpp cannot apply, or does not fit the base.
    """
    if base.architecture != "llama":
        raise ModelError(
            f"{base.path} is of the architecture {base.architecture}; adapters are converted for "
            "llama models only so far."
        )
    config = _read_config(folder)
    pairs = _read_pairs(folder)
    alpha = float(config["lora_alpha"])
    tensors: dict[str, np.ndarray] = {}
    names = _gguf_names(base)
    for module, (a, b) in pairs.items():
        weight = names.get(module)
        shape = base.shapes.get(weight) if weight else None
        if weight is None or shape is None:
            raise ModelError(
                f"{folder} changes {module}, which {base.name} does not have; convert it for the "
                "base it was trained on."
            )
        if (a.shape[1], b.shape[0]) != shape or a.shape[0] != b.shape[1]:
            raise ModelError(
                f"{folder} does not fit {base.name}: {module} is {b.shape[0]} × {a.shape[1]} in "
                f"the adapter and {shape[1]} × {shape[0]} in the base; convert it for the base it "
                "was trained on."
            )
        rank = a.shape[0]
        b = b * (_scale(config, module, rank) / (alpha / rank))
        if ".attn_q." in weight:
            b = rotary_rows(b, base.heads)
        elif ".attn_k." in weight:
            b = rotary_rows(b, base.kv_heads)
        tensors[f"{weight}.lora_a"] = a
        tensors[f"{weight}.lora_b"] = b
    _write(out, tensors, alpha, base, name, outtype)


def rotary_rows(rows: "np.ndarray", heads: int) -> "np.ndarray":
    """The rows of q or k in llama.cpp's order, from the order of Hugging Face.

    `rows` has the shape (heads × d, n). Hugging Face rotates element i of a head with element
    i + d/2, llama.cpp's llama rotates neighbours: element i moves to 2i, i + d/2 to 2i + 1.
    """
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(rows.shape)


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"{folder} has no {_CONFIG}; give the folder PEFT saved.") from None
    except ValueError:
        raise ModelError(f"{path} is not JSON; save the adapter again.") from None
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise ModelError(f"{path} is not of a LoRA adapter; llama.cpp uses LoRA only.")
    start = str(config.get("init_lora_weights", "")).lower()
    refusals = {
        "uses DoRA (use_dora)": config.get("use_dora"),
        "replaces whole modules (modules_to_save)": config.get("modules_to_save"),
        "trains biases (bias)": config.get("bias", "none") != "none" or config.get("lora_bias"),
        "is for transposed weights (fan_in_fan_out)": config.get("fan_in_fan_out"),
        "repeats layers (layer_replication)": config.get("layer_replication"),
        "trains single tokens (trainable_token_indices)": config.get("trainable_token_indices"),
        f"began by changing the base (init_lora_weights {start})": start.startswith(_CHANGES_BASE),
    }
    for what, present in refusals.items():
        if present:
            raise ModelError(
                f"{folder} {what}, which a GGUF adapter cannot hold; train a plain LoRA."
            )
    alpha = config.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not alpha:
        raise ModelError(f"{path} has no lora_alpha other than 0; train the adapter again.")
    return config


def _read_pairs(folder: Path) -> dict[str, tuple["np.ndarray", "np.ndarray"]]:
    """The A (rank, in) and B (out, rank) matrices in float32, by PEFT's module name."""
    path = folder / _WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"{folder} has no {_WEIGHTS}; save it with safe_serialization=True, pickled weights "
            "are not read."
        )
    halves: dict[str, dict[str, np.ndarray]] = {}
    for key, tensor in _read_safetensors(path).items():
        match = _KEY.fullmatch(key)
        if match is None or tensor.ndim != 2:
            raise ModelError(
                f"{path} holds {key}, which is not half of a plain LoRA pair; train a plain LoRA."
            )
        halves.setdefault(match[1], {})[match[2]] = tensor
    if not halves:
        raise ModelError(f"{path} holds no tensors; save the adapter again.")
    for module, pair in halves.items():
        if len(pair) != 2:
            raise ModelError(f"{path} holds half a pair for {module}; save the adapter again.")
    return {module: (pair["A"], pair["B"]) for module, pair in halves.items()}


def _read_safetensors(path: Path) -> dict[str, "np.ndarray"]:
    """All tensors as float32, by name; bfloat16, which numpy lacks, is widened by hand."""
    import numpy as np
    from safetensors import SafetensorError, deserialize

    dtypes = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
    tensors: dict[str, np.ndarray] = {}
    try:
        entries = deserialize(path.read_bytes())
    except SafetensorError:
        raise ModelError(f"{path} is damaged; save or fetch the adapter again.") from None
    for key, entry in entries:
        data, kind = entry["data"], entry["dtype"]
        if kind == "BF16":
            wide = np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16
            values = wide.view(np.float32)
        elif kind in dtypes:
            values = np.frombuffer(data, dtype=dtypes[kind]).astype(np.float32)
        else:
            raise ModelError(f"{path} holds {key} as {kind}; save the adapter in float32.")
        if not np.isfinite(values).all():
            raise ModelError(f"{path} has NaN or infinity in {key}; train the adapter again.")
        tensors[key] = values.reshape(entry["shape"])
    return tensors


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """What PEFT multiplies B·A with: alpha / rank, or alpha / √rank with `use_rslora`."""
    alpha = float(config["lora_alpha"])
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            alpha = float(value)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _gguf_names(base: ModelFacts) -> dict[str, str]:
    """The names of the base's linear weights in GGUF, by PEFT's module names."""
    parts = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    names = {
        f"model.layers.{layer}.{module}": f"blk.{layer}.{weight}.weight"
        for layer in range(base.layers)
        for module, weight in parts.items()
    }
    return names | {"lm_head": "output.weight"}


def _write(
    out: Path,
    tensors: Mapping[str, "np.ndarray"],
    alpha: float,
    base: ModelFacts,
    name: str,
    outtype: OutType,
) -> None:
    import numpy as np
    from gguf import GGUFType, GGUFWriter

    handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    os.close(handle)
    try:
        writer = GGUFWriter(temporary, base.architecture)
        writer.add_type(GGUFType.ADAPTER)
        writer.add_name(name)
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, base.title or base.name)
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for key, tensor in tensors.items():
            writer.add_tensor(key, tensor.astype(np.float16 if outtype == "f16" else np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        Path(temporary).chmod(0o644)
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
