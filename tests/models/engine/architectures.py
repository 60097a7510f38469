"""Tiny models with random weights of architectures whose caches work differently from a llama's.

Tensors and keys are those that llama.cpp's loader asks for (src/models/ of its sources).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 64, 4, 4, 2, 128
HEAD = WIDTH // HEADS
VOCABULARY = 300
CONTEXT = 2_048
WINDOW = 48
"""Positions that a layer with sliding-window attention looks back."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Architecture:
    """A model's keys under its architecture's name, and the numpy shapes of a layer's tensors."""

    name: str
    keys: Mapping[str, int | float | list[int]]
    layer: Callable[[int], Mapping[str, Shape]]
    outside: Mapping[str, Shape] = field(default_factory=lambda: {"output_norm.weight": (WIDTH,)})


_ATTENTION: Mapping[str, Shape] = {
    "attn_norm.weight": (WIDTH,),
    "attn_q.weight": (WIDTH, WIDTH),
    "attn_k.weight": (KV_HEADS * HEAD, WIDTH),
    "attn_v.weight": (KV_HEADS * HEAD, WIDTH),
    "attn_output.weight": (WIDTH, WIDTH),
}
_DENSE: Mapping[str, Shape] = {
    "ffn_norm.weight": (WIDTH,),
    "ffn_gate.weight": (FEED_FORWARD, WIDTH),
    "ffn_up.weight": (FEED_FORWARD, WIDTH),
    "ffn_down.weight": (WIDTH, FEED_FORWARD),
}
_KEYS: Mapping[str, int | float] = {
    "attention.head_count": HEADS,
    "attention.head_count_kv": KV_HEADS,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "feed_forward_length": FEED_FORWARD,
    "rope.dimension_count": HEAD,
}


def _mamba(layer: int) -> Mapping[str, Shape]:
    inner, state, rank = 2 * WIDTH, 16, 4
    return {
        "attn_norm.weight": (WIDTH,),
        "ssm_in.weight": (2 * inner, WIDTH),
        "ssm_conv1d.weight": (inner, 4),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (rank + 2 * state, inner),
        "ssm_dt.weight": (inner, rank),
        "ssm_dt.bias": (inner,),
        "ssm_a": (inner, state),
        "ssm_d": (inner,),
        "ssm_out.weight": (WIDTH, inner),
    }


def _lfm2(layer: int) -> Mapping[str, Shape]:
    if layer % 2:
        norms = {"attn_q_norm.weight": (HEAD,), "attn_k_norm.weight": (HEAD,)}
        return {**_ATTENTION, **norms, **_DENSE}
    return {
        "attn_norm.weight": (WIDTH,),
        "shortconv.conv.weight": (WIDTH, 3),
        "shortconv.in_proj.weight": (3 * WIDTH, WIDTH),
        "shortconv.out_proj.weight": (WIDTH, WIDTH),
        **_DENSE,
    }


def _gemma2(layer: int) -> Mapping[str, Shape]:
    norms = {"post_attention_norm.weight": (WIDTH,), "post_ffw_norm.weight": (WIDTH,)}
    return {**_ATTENTION, **norms, **_DENSE}


def _experts(layer: int) -> Mapping[str, Shape]:
    return {
        **_ATTENTION,
        "ffn_norm.weight": (WIDTH,),
        "ffn_gate_inp.weight": (4, WIDTH),
        "ffn_gate_exps.weight": (4, FEED_FORWARD, WIDTH),
        "ffn_up_exps.weight": (4, FEED_FORWARD, WIDTH),
        "ffn_down_exps.weight": (4, WIDTH, FEED_FORWARD),
    }


ARCHITECTURES = {
    "recurrent": Architecture(
        "mamba",
        {
            "attention.head_count": 0,
            "attention.layer_norm_rms_epsilon": 1e-5,
            "feed_forward_length": 0,
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 2 * WIDTH,
            "ssm.state_size": 16,
            "ssm.time_step_rank": 4,
        },
        _mamba,
    ),
    "hybrid": Architecture(
        "lfm2",
        {
            **_KEYS,
            "attention.head_count_kv": [KV_HEADS * (i % 2) for i in range(LAYERS)],
            "shortconv.l_cache": 3,
        },
        _lfm2,
        {"token_embd_norm.weight": (WIDTH,)},
    ),
    "sliding-window": Architecture(
        "gemma2",
        {
            **_KEYS,
            "attention.key_length": HEAD,
            "attention.value_length": HEAD,
            "attention.sliding_window": WINDOW,
        },
        _gemma2,
    ),
    "experts": Architecture(
        "llama", {**_KEYS, "expert_count": 4, "expert_used_count": 2}, _experts
    ),
}
"""One model of each kind, by what is particular about it."""


def write(kind: str, path: Path, seed: int = 0) -> None:
    """Write the model of a kind to `path`."""
    it = ARCHITECTURES[kind]
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, it.name)
    writer.add_type("model")
    writer.add_name(f"A small {it.name}")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_vocab_size(VOCABULARY)
    for key, value in it.keys.items():
        match value:
            case int():
                writer.add_uint32(f"{it.name}.{key}", value)
            case float():
                writer.add_float32(f"{it.name}.{key}", value)
            case list():
                writer.add_array(f"{it.name}.{key}", value)
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = [f"▁w{i}" for i in range(VOCABULARY - len(special))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*special, *words])
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * len(words)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    shapes = {"token_embd.weight": (VOCABULARY, WIDTH), **it.outside}
    for layer in range(LAYERS):
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in it.layer(layer).items()}
    for name, shape in shapes.items():
        writer.add_tensor(name, _weights(rng, name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(rng: np.random.Generator, name: str, shape: Shape) -> np.ndarray:
    """Weights that carry what they are given on, so that every position leaves its mark."""
    if name.endswith("norm.weight"):
        values = np.ones(shape)
    elif name.endswith("ssm_a"):
        values = -rng.uniform(0.05, 1, shape)  # a state decays
    else:
        values = rng.standard_normal(shape) / math.sqrt(shape[-1])
    return values.astype(np.float32)
