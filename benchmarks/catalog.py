"""Time to list a tree of GGUF files, by a fresh process, with and without remembered heads.

5,000 files in 500 folders, 500 of the files with vocabularies of 150,000 tokens. Their tensors
are holes in the files. No page cache is dropped: "cold" means that llamadiff has not seen the
files, not that the disk has not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIST = """
import sys
from pathlib import Path
from llamadiff.models.catalog import Catalog
entries = Catalog([Path(sys.argv[1])], cache_dir=Path(sys.argv[2])).models()
given = [e for e in entries if e.source == "given"]
print(len(given), sum(e.problem is None for e in given))
"""
LAYERS, WIDTH = 16, 2048
WEIGHTS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def text(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, payload: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + payload


def strings(key: str, values: list[str]) -> bytes:
    return entry(key, 9, struct.pack("<IQ", 8, len(values)) + b"".join(map(text, values)))


def vocabulary(size: int) -> bytes:
    """The tokenizer's entries: tokens, their types and merges."""
    types = struct.pack("<IQ", 5, size) + struct.pack(f"<{size}i", *([1] * size))
    return (
        entry("tokenizer.ggml.model", 8, text("gpt2"))
        + strings("tokenizer.ggml.tokens", [f"token{i}" for i in range(size)])
        + entry("tokenizer.ggml.token_type", 9, types)
        + strings("tokenizer.ggml.merges", [f"to ken{i}" for i in range(size)])
        + entry("tokenizer.chat_template", 8, text("{{ messages }}"))
    )


def write_model(path: Path, tokenizer: bytes) -> None:
    """A llama of 16 layers in Q8_0; its weights take no room on the disk."""
    numbers = {
        "block_count": LAYERS, "context_length": 8192, "embedding_length": WIDTH,
        "feed_forward_length": WIDTH, "attention.head_count": 16, "attention.head_count_kv": 16,
        "rope.dimension_count": 128, "vocab_size": 512,
    }  # fmt: skip
    words = {
        "general.architecture": "llama", "general.type": "model", "general.name": path.stem,
        "general.basename": "bench", "general.size_label": "1B", "general.license": "mit",
        "general.organization": "nobody", "general.description": "A model to be listed",
    }  # fmt: skip
    entries = [entry(key, 8, text(value)) for key, value in words.items()]
    entries += [entry(f"llama.{k}", 4, struct.pack("<I", v)) for k, v in numbers.items()]
    entries += [entry("general.file_type", 4, struct.pack("<I", 7))]
    names = [f"blk.{layer}.{name}.weight" for layer in range(LAYERS) for name in WEIGHTS]
    names += ["token_embd.weight", "output_norm.weight"]
    infos, offset = b"", 0
    for name in names:
        infos += text(name) + struct.pack("<IQQIQ", 2, WIDTH, WIDTH, 8, offset)
        offset += WIDTH * WIDTH // 32 * 34
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(names), len(entries) + 5)
    head += b"".join(entries) + tokenizer + infos
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + -len(head) % 32 + offset)


def write_tree(root: Path, files: int, large: int) -> None:
    few, many = vocabulary(512), vocabulary(150_000)
    every = max(1, files // large) if large else 0
    for number in range(files):
        folder = root / f"org{number // 100}" / f"repo{number // 10}"
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = many if every and number % every == 0 else few
        write_model(folder / f"model-{number}-Q8_0.gguf", tokenizer)


def listed(root: Path, cache: Path) -> tuple[float, str]:
    """Seconds of a fresh process that lists the tree, from start to end, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", LIST, str(root), str(cache)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - started, done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="times each")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--large", type=int, default=500, help="files with a large vocabulary")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        write_tree(root, options.files, options.large)
        os.sync()  # writing gigabytes back would be timed too
        cold: list[float] = []
        for run in range(options.n):
            took, printed = listed(root, Path(folder) / f"cache{run}")
            cold.append(took)
        warm = [listed(root, Path(folder) / "cache0")[0] for _ in range(options.n)]
    result = {
        "files": options.files, "large": options.large, "listed": printed,
        "cold_s": statistics.median(cold), "cold_max_s": max(cold),
        "warm_s": statistics.median(warm), "warm_max_s": max(warm), "times": options.n,
    }  # fmt: skip
    if options.json:
        print(json.dumps(result))
        return
    print(f"{options.files:,} files, {options.large:,} of them with 150,000 tokens; listed and usable: {printed}")  # fmt: skip
    print(f"cold {result['cold_s']:.2f} s (max {result['cold_max_s']:.2f}), warm {result['warm_s']:.2f} s (max {result['warm_max_s']:.2f}), median of {options.n}, whole process")  # fmt: skip


if __name__ == "__main__":
    main()
