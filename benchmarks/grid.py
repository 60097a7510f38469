"""What the sizes of prefill chunks cost: a cold prompt, and one whose end was changed.

    .venv/bin/python benchmarks/grid.py --shape 143M

The bare loop computes 1,500 tokens in the chunks that models/engine/chunks.py would plan with
other sizes, beside llama-bench's way, in batches of 512; then what is left to compute of a cached
prompt whose last 4 tokens were changed, beside the cold prompt in the same chunks. Threads are
fixed. It says nothing of equal bits: any sizes give those, as long as they are always the same.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from files import file_options, model_file, models_of
from psutil import cpu_count

from llamadiff.models.bench.bare_client import Bare
from llamadiff.models.bench.bench import CHANGED, LONG_PROMPT
from llamadiff.models.bench.figures import Figure, paired
from llamadiff.models.bench.jobs import even_chunks
from llamadiff.models.engine import chunks

Sizes = tuple[int, ...]
CANDIDATES: tuple[Sizes, ...] = (
    (512,),
    (512, 64, 16),
    (256,),
    (256, 64),
    (256, 64, 16),
    (256, 32),
    (256, 16),
    (128, 32),
    (128, 16),
    (64, 16),
    (32,),
)


def ends_of(sizes: Sizes) -> list[int]:
    """The engine's own plan with these sizes."""
    chunks.SIZES = sizes
    return chunks.plan(LONG_PROMPT)


async def measure(bare: Bare, rounds: int) -> dict[Sizes, tuple[Figure, Figure]]:
    """For each candidate, cold beside batches of 512, and edited beside cold."""
    cold: dict[Sizes, list[tuple[float, float]]] = {sizes: [] for sizes in CANDIDATES}
    edit: dict[Sizes, list[tuple[float, float]]] = {sizes: [] for sizes in CANDIDATES}
    for _ in range(rounds):
        for sizes in CANDIDATES:
            ends = ends_of(sizes)
            even_ms = 1000 * await bare.seconds(even_chunks(LONG_PROMPT))
            cold_ms = 1000 * await bare.seconds([b - a for a, b in pairwise([0, *ends])])
            kept = [0, *(end for end in ends if end <= LONG_PROMPT - CHANGED)]
            left = [b - a for a, b in pairwise([kept[-1], *ends[len(kept) - 1 :]])]
            edit_ms = 1000 * await bare.seconds(left, keep=kept[-1])
            cold[sizes].append((cold_ms, even_ms))
            edit[sizes].append((edit_ms, cold_ms))
    return {
        sizes: (
            paired(f"{LONG_PROMPT:,} tokens", "ms", "512", cold[sizes]),
            paired(f"{CHANGED} of {LONG_PROMPT:,} changed", "ms", "cold", edit[sizes]),
        )
        for sizes in CANDIDATES
    }


async def main() -> None:
    options = file_options(__doc__, rounds=5).parse_args()
    ours = chunks.SIZES
    document: list[dict[str, Any]] = []
    for shape, kind in models_of(options):
        path = model_file(options.files, shape, kind)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "bare.log"
            bare = await Bare.start(path, [], cpu_count(logical=False) or 1, log)
            try:
                measured = await measure(bare, options.rounds)
            finally:
                await bare.close()
        if not options.json:
            print(f"{shape} {kind:14} {'cold ms':>9}  of 512s {'':14}  edit ms  of cold")
        for sizes, (cold, edit) in measured.items():
            document.append(
                {
                    "shape": shape,
                    "type": kind,
                    "sizes": sizes,
                    "cold": msgspec.to_builtins(cold),
                    "edit": msgspec.to_builtins(edit),
                }
            )
            if not options.json:
                name = "/".join(map(str, sizes)) + (" (ours)" if sizes == ours else "")
                print(
                    f"  {name:18} {cold.value.median:9,.1f}  {cold.ratio}  "
                    f"{edit.value.median:7.1f}  {edit.ratio}"
                )
    if options.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
