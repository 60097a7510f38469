"""GGUF files for the tests: small ones that llama.cpp runs, and bytes laid out by hand. Processes
start warm."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType

from ..warm import warm

DIM, LAYERS, HEADS, KV_HEADS, FEED_FORWARD, VOCAB = 64, 2, 4, 2, 128, 300
HEAD = DIM // HEADS


def _matrix(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.standard_normal(shape) * 0.05).astype(np.float32)


def _weights(tied: bool) -> dict[str, tuple[int, ...]]:
    """Names and numpy shapes (rows, row length) of a small llama."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCAB, DIM)}
    for layer in range(LAYERS):
        blk = f"blk.{layer}"
        shapes |= {
            f"{blk}.attn_norm.weight": (DIM,),
            f"{blk}.attn_q.weight": (DIM, DIM),
            f"{blk}.attn_k.weight": (KV_HEADS * HEAD, DIM),
            f"{blk}.attn_v.weight": (KV_HEADS * HEAD, DIM),
            f"{blk}.attn_output.weight": (DIM, DIM),
            f"{blk}.ffn_norm.weight": (DIM,),
            f"{blk}.ffn_gate.weight": (FEED_FORWARD, DIM),
            f"{blk}.ffn_up.weight": (FEED_FORWARD, DIM),
            f"{blk}.ffn_down.weight": (DIM, FEED_FORWARD),
        }
    shapes["output_norm.weight"] = (DIM,)
    if not tied:
        shapes["output.weight"] = (VOCAB, DIM)
    return shapes


@pytest.fixture(autouse=True)
def warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that run a model, write a file or train."""
    warm(monkeypatch)


@pytest.fixture
def write_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a llama of 64 × 2 layers that llama.cpp loads; returns its path."""

    def write(
        name: str = "base.gguf",
        *,
        architecture: str = "llama",
        tied: bool = False,
        quantized: bool = True,
        general_type: str | None = "model",
        edit: Callable[[gguf.GGUFWriter], None] = lambda writer: None,
        tokens: bool = True,
        tensors: bool = True,
        split_max_tensors: int = 0,
    ) -> Path:
        path = tmp_path / name
        writer = gguf.GGUFWriter(path, architecture, split_max_tensors=split_max_tensors)
        if general_type is not None:
            writer.add_type(general_type)
        writer.add_name("A small llama")
        writer.add_license("MIT")
        writer.add_context_length(512)
        writer.add_embedding_length(DIM)
        writer.add_block_count(LAYERS)
        writer.add_feed_forward_length(FEED_FORWARD)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(KV_HEADS)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_dimension_count(HEAD)
        edit(writer)
        if tokens:
            special = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{i:02X}>".encode() for i in range(256)]
            words = [f"word{i}".encode() for i in range(VOCAB - len(special))]
            writer.add_tokenizer_model("llama")
            writer.add_token_list(special + words)
            writer.add_token_scores([0.0] * VOCAB)
            writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * len(words))
            writer.add_bos_token_id(1)
            writer.add_eos_token_id(2)
            writer.add_chat_template("{{ messages }}")
        rng = np.random.default_rng(0)
        for weight, shape in _weights(tied).items() if tensors else ():
            values = _matrix(rng, *shape)
            if quantized and len(shape) == 2:
                packed = gguf.quants.quantize(values, GGMLQuantizationType.Q8_0)
                writer.add_tensor(weight, packed, raw_dtype=GGMLQuantizationType.Q8_0)
            else:
                writer.add_tensor(weight, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


Pairs = dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""The numpy shapes of A and B, by weight."""


@pytest.fixture
def write_adapter(tmp_path: Path) -> Callable[..., Path]:
    """Writes a LoRA adapter for the small llama; returns its path."""

    def write(
        name: str = "tuned.gguf",
        *,
        architecture: str = "llama",
        pairs: Pairs | None = None,
        alpha: float | None = 16.0,
        adapter_type: str = "lora",
        fill: float | None = None,
        dtype: type[np.generic] = np.float32,
        without: Sequence[str] = (),
        edit: Callable[[gguf.GGUFWriter], None] = lambda writer: None,
    ) -> Path:
        path = tmp_path / name
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", adapter_type)
        if alpha is not None:
            writer.add_float32("adapter.lora.alpha", alpha)
        edit(writer)
        if pairs is None:
            pairs = {
                "blk.0.attn_q.weight": ((4, DIM), (DIM, 4)),
                "blk.1.ffn_down.weight": ((8, FEED_FORWARD), (DIM, 8)),
            }
        rng = np.random.default_rng(1)
        for weight, shapes in pairs.items():
            for half, shape in zip(("lora_a", "lora_b"), shapes, strict=True):
                tensor = f"{weight}.{half}"
                if tensor not in without:
                    values = _matrix(rng, *shape)
                    if fill is not None:
                        values.flat[-1] = fill
                    writer.add_tensor(tensor, values.astype(dtype))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


@pytest.fixture
def lay_out() -> Callable[..., bytes]:
    """Lays out a GGUF file byte by byte; counts may lie."""

    def string(text: bytes) -> bytes:
        return struct.pack("<Q", len(text)) + text

    def lay(
        entries: Sequence[tuple[bytes, int, bytes]] = (),
        tensors: Sequence[tuple[bytes, tuple[int, ...], int, int]] = (),
        *,
        data: bytes = b"",
        magic: bytes = b"GGUF",
        version: int = 3,
        n_entries: int | None = None,
        n_tensors: int | None = None,
    ) -> bytes:
        head = bytearray(magic)
        head += struct.pack(
            "<IQQ",
            version,
            len(tensors) if n_tensors is None else n_tensors,
            len(entries) if n_entries is None else n_entries,
        )
        for key, type_id, payload in entries:
            head += string(key) + struct.pack("<I", type_id) + payload
        for name, shape, type_id, offset in tensors:
            head += string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
            head += struct.pack("<IQ", type_id, offset)
        if tensors:
            head += b"\0" * (-len(head) % 32)
        return bytes(head + data)

    return lay
