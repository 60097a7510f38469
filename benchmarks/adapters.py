"""Write LoRA adapters with random weights for the shapes: something to stack, nothing to train.

python benchmarks/adapters.py 143M adapter.gguf --seed 1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gguf
import numpy as np
from shapes import EVERY_SHAPE, Shape

RANK = 16
SPREAD = 0.02
"""Standard deviation of the weights: an effect to be seen, and no overflow."""


def write_adapter(path: Path, shape: Shape, seed: int) -> None:
    """Write an adapter of rank 16 for every linear layer of a shape, in half precision.

    A is (rank, in) and B (out, rank); alpha equals the rank, so that the scale is the user's.
    """
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_name(path.stem)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK))
    kv_width = shape.width // shape.heads * shape.kv_heads
    layers = {
        "attn_q": (shape.width, shape.width),
        "attn_k": (kv_width, shape.width),
        "attn_v": (kv_width, shape.width),
        "attn_output": (shape.width, shape.width),
        "ffn_gate": (shape.feed_forward, shape.width),
        "ffn_up": (shape.feed_forward, shape.width),
        "ffn_down": (shape.width, shape.feed_forward),
    }
    for i in range(shape.layers):
        for name, (rows, columns) in layers.items():
            for part, size in (("lora_a", (RANK, columns)), ("lora_b", (rows, RANK))):
                data = (rng.standard_normal(size) * SPREAD).astype(np.float16)
                writer.add_tensor(f"blk.{i}.{name}.weight.{part}", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=EVERY_SHAPE)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_adapter(options.path, EVERY_SHAPE[options.shape], options.seed)


if __name__ == "__main__":
    main()
