"""Write llama models of known shapes with random weights: something to time, nothing to download.

python benchmarks/shapes.py 143M Q4_0 model.gguf
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

CONTEXT = 4_096
SPREAD = 0.02
"""Standard deviation of the weights, about that of a fresh llama."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a llama. Heads have 64 elements; the embedding is the output layer too if `tied`."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    tied: bool
    vocabulary: int = 32_000


SHAPES = {
    "29M": Shape(8, 384, 1_280, 6, 6, True),
    "143M": Shape(12, 768, 3_072, 12, 12, True),
    "1.1B": Shape(22, 2_048, 5_632, 32, 4, False),
}
"""About as many parameters as the name says; the largest is that of TinyLlama."""
EVERY_SHAPE = SHAPES | {"4M": Shape(4, 256, 768, 4, 2, True, 4_096)}
"""With the one that tests run most: half of what 29M computes is its vocabulary."""


def blocks(rng: np.random.Generator, kind: Type, rows: int, columns: int) -> np.ndarray:
    """Random weights of one tensor as the file stores them, one row of bytes per row of weights.

    The layouts are those of ggml-common.h: a scale in half precision, then the quants; K-quants
    have 16 more scales. Quants are uniform, so the scale gives them the wanted spread.
    """
    if kind is Type.F32:
        return (rng.standard_normal((rows, columns)) * SPREAD).astype(np.float32)
    size, n_bytes = gguf.GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows, columns // size, n_bytes), dtype=np.uint8)
    scale = np.array(
        [SPREAD / {Type.Q4_0: 4.6, Type.Q8_0: 73.9, Type.Q6_K: 18.5}[kind]], np.float16
    )
    if kind is Type.Q6_K:
        data[..., 192:208] = 1
        data[..., 208:210] = scale.view(np.uint8)
    else:
        data[..., :2] = scale.view(np.uint8)
    return data.reshape(rows, -1)


def write(path: Path, shape: Shape, kind: Type, seed: int = 0) -> None:
    """Write a model of this shape whose matrices are of this type.

    Rows that are no multiple of its block are Q8_0, as llama.cpp's own quantizer has it.
    """
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(path.stem)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_tokenizer_model("llama")
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    writer.add_token_list([*special, *(f"▁w{i}" for i in range(shape.vocabulary - len(special)))])
    writer.add_token_scores([0.0] * shape.vocabulary)
    kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2, *[gguf.TokenType.BYTE] * 256]
    writer.add_token_types([*kinds, *[gguf.TokenType.NORMAL] * (shape.vocabulary - len(kinds))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    def matrix(name: str, rows: int, columns: int) -> None:
        fits = columns % gguf.GGML_QUANT_SIZES[kind][0] == 0
        its = kind if fits else Type.Q8_0
        data = blocks(rng, its, rows, columns)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=None if its is Type.F32 else its)

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(shape.width, np.float32))

    kv_width = shape.width // shape.heads * shape.kv_heads
    matrix("token_embd", shape.vocabulary, shape.width)
    for i in range(shape.layers):
        norm(f"blk.{i}.attn_norm")
        matrix(f"blk.{i}.attn_q", shape.width, shape.width)
        matrix(f"blk.{i}.attn_k", kv_width, shape.width)
        matrix(f"blk.{i}.attn_v", kv_width, shape.width)
        matrix(f"blk.{i}.attn_output", shape.width, shape.width)
        norm(f"blk.{i}.ffn_norm")
        matrix(f"blk.{i}.ffn_gate", shape.feed_forward, shape.width)
        matrix(f"blk.{i}.ffn_up", shape.feed_forward, shape.width)
        matrix(f"blk.{i}.ffn_down", shape.width, shape.feed_forward)
    norm("output_norm")
    if not shape.tied:
        matrix("output", shape.vocabulary, shape.width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=EVERY_SHAPE)
    parser.add_argument("type", choices=["F32", "Q4_0", "Q8_0", "Q6_K"])
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    write(options.path, EVERY_SHAPE[options.shape], Type[options.type])


if __name__ == "__main__":
    main()
