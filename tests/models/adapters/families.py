"""Tiny random models of each family, as transformers makes them, and PEFT adapters on them.

torch and its kin are imported where they are used: every worker of the tests imports every test.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from peft import PeftModel

VOCABULARY = 320
CONTEXT = 128
TOKENS = [1, *range(40, 61), 7, 7, 300]
"""What every model is asked: logits at each position."""

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.12,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


@dataclass(frozen=True)
class Family:
    """A model type of transformers: its settings beyond the common ones, and how close
    llama.cpp's logits come to its own."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tied: bool = False
    tolerance: float = 1e-5


_GEMMA = {"head_dim": 16, "initializer_range": 0.08}
_GELU = 2e-3
"""llama.cpp looks GELU up in a table of float16: the base alone is off by half of this."""

FAMILIES = {
    "llama": Family("llama"),
    "mistral": Family("mistral", {"sliding_window": None, "head_dim": 24}),
    "qwen2": Family("qwen2", tied=True),
    "qwen3": Family("qwen3", {"head_dim": 32}),
    "gemma2": Family(
        "gemma2",
        _GEMMA | {"query_pre_attn_scalar": 16, "sliding_window": 16},
        tied=True,
        tolerance=_GELU,
    ),
    "gemma3": Family(
        "gemma3_text",
        _GEMMA | {"query_pre_attn_scalar": 16, "sliding_window": 16},
        tied=True,
        tolerance=_GELU,
    ),
    "phi3": Family("phi3", {"original_max_position_embeddings": CONTEXT, "sliding_window": None}),
}
"""Those that most adapters are for."""

_EXPERTS = {"moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2}

MORE_FAMILIES = {
    "apertus": Family("apertus"),
    "arcee": Family("arcee"),
    "cohere": Family("cohere", {"logit_scale": 1.0}, tied=True),
    "cohere2": Family(
        "cohere2",
        {"logit_scale": 1.0, "rotary_pct": 1.0, "head_dim": 16, "sliding_window": 16},
        tied=True,
    ),
    "ernie4_5": Family("ernie4_5", {"head_dim": 16}, tied=True),
    "gemma": Family("gemma", _GEMMA, tied=True, tolerance=_GELU),
    "glm4": Family("glm4", {"head_dim": 16}),
    "granite": Family(
        "granite",
        {"embedding_multiplier": 3.0, "residual_multiplier": 0.5, "attention_multiplier": 0.3},
    ),
    "granitemoe": Family("granitemoe", {"num_local_experts": 4}),
    "hunyuan": Family("hunyuan_v1_dense", {"head_dim": 16}),
    "llama3": Family(
        "llama",
        {
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 10_000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            }
        },
    ),
    "lfm2": Family("lfm2", {"layer_types": ["conv", "full_attention"]}),
    "ministral3": Family("ministral3"),
    "mixtral": Family("mixtral", {"num_local_experts": 4}),
    "nemotron": Family("nemotron", {"head_dim": 16, "initializer_range": 0.06}),
    "olmo": Family("olmo"),
    "olmo2": Family("olmo2"),
    "qwen2_moe": Family("qwen2_moe", _EXPERTS | {"shared_expert_intermediate_size": 32}),
    "qwen3_moe": Family("qwen3_moe", _EXPERTS | {"head_dim": 16, "norm_topk_prob": True}),
    "seed_oss": Family("seed_oss", {"head_dim": 16}),
    "smollm3": Family("smollm3", tied=True),
    "stablelm": Family("stablelm"),
    "starcoder2": Family("starcoder2", {"sliding_window": None}, tied=True, tolerance=_GELU),
}
"""The others that convert knows."""

ADAPTERS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"r": 8, "lora_alpha": 12},
    "rslora": {"r": 8, "lora_alpha": 4, "use_rslora": True},
    "patterns": {
        "r": 4,
        "lora_alpha": 6,
        "rank_pattern": {r"layers\.1\..*(q_proj|qkv_proj)": 8, "down_proj": 2},
        "alpha_pattern": {r"self_attn\.\w+": 3, "down_proj": 10, r"^model\.layers\.0.*": 1},
    },
}
"""Kinds of adapters; each changes every linear layer, that of the output too where it is one."""


def make(
    family: Family,
    folder: Path,
    adapters: Mapping[str, Mapping[str, Any]] = ADAPTERS,
) -> PeftModel:
    """Save a model in `folder`/hf and its adapters in `folder`/peft/NAME; all are loaded.

    Adapters without `target_modules` change every linear layer.
    """
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    set_seed(7)
    config = AutoConfig.for_model(
        family.kind, **(_SIZES | {"tie_word_embeddings": family.tied} | dict(family.settings))
    )
    config.architectures = None
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for values in model.parameters():
            if values.ndim == 1:  # norms and biases start as ones and zeros
                values.add_(torch.randn_like(values) * 0.1)
    model.save_pretrained(folder / "hf")
    _write_tokenizer(folder / "hf")
    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not (family.tied and name == "lm_head")
    }
    peft: PeftModel | None = None
    for name, settings in adapters.items():
        lora = LoraConfig(
            task_type="CAUSAL_LM", **({"target_modules": sorted(linear)} | dict(settings))
        )
        if peft is None:
            peft = get_peft_model(model, lora, adapter_name=name)
        else:
            peft.add_adapter(name, lora)
    assert isinstance(peft, PeftModel)
    with torch.no_grad():
        for name, values in peft.named_parameters():
            if ".lora_" in name:
                values.copy_(torch.randn_like(values) * 0.06)
    peft.save_pretrained(folder / "peft")
    return load(folder, adapters)


def load(folder: Path, adapters: Iterable[str]) -> PeftModel:
    """The model and its adapters as PEFT reads them back: the files are what counts, and in them
    patterns have another order than in memory."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder / "hf", attn_implementation="eager", dtype=torch.float32
    )
    first, *others = adapters
    peft = PeftModel.from_pretrained(model, folder / "peft" / first, adapter_name=first)
    for name in others:
        peft.load_adapter(folder / "peft" / name, adapter_name=name)
    return peft.eval()


def _write_tokenizer(folder: Path) -> None:
    """As much of a tokenizer as llama.cpp's conversion counts."""
    vocabulary = {f"t{i}": i for i in range(VOCABULARY)}
    tokenizer = {"model": {"vocab": vocabulary}, "added_tokens": []}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def logits(model: PeftModel, stack: Sequence[tuple[str, float]]) -> np.ndarray:
    """PEFT's logits of TOKENS, shape (tokens, vocabulary), under adapters at these scales."""
    import torch

    with torch.no_grad():
        if not stack:
            with model.disable_adapter():
                out = model(input_ids=torch.tensor([TOKENS]))
            return out.logits[0].float().numpy()
        model.base_model.set_adapter([name for name, _ in stack])
        layers = [it for it in model.modules() if hasattr(it, "set_scale")]
        for layer in layers:
            for name, scale in stack:
                layer.set_scale(name, scale)
        out = model(input_ids=torch.tensor([TOKENS]))
        for layer in layers:
            for name, _ in stack:
                layer.set_scale(name, 1.0)
    return out.logits[0].float().numpy()


def write_gguf(sources: Path, folders: Sequence[Path]) -> None:
    """Convert `folder`/hf to `folder`/base.gguf in float32 with llama.cpp's own conversion."""
    script = Path(__file__).with_name("llama_cpp_convert.py")
    subprocess.run(
        [sys.executable, str(script), str(sources), *map(str, folders)],
        check=True,
        capture_output=True,
        text=True,
    )


def ask_llama_cpp(
    base: Path, stacks: Sequence[Sequence[tuple[Path, float]]], work: Path
) -> list[np.ndarray]:
    """llama.cpp's logits of TOKENS under each stack; F32 cache, no flash attention."""
    script = Path(__file__).with_name("llama_cpp_logits.py")
    jobs = [[[str(path), scale] for path, scale in stack] for stack in stacks]
    subprocess.run(
        [sys.executable, str(script), str(base), json.dumps(TOKENS), str(work / "logits.npy")],
        input=json.dumps(jobs),
        text=True,
        check=True,
        capture_output=True,
    )
    return list(np.load(work / "logits.npy"))
