"""Time to the first token of a long prompt at the first start, and at the next: from the disk.

.venv/bin/python benchmarks/saved.py --shape 143M --tokens 4000
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from statistics import median

from files import file_options, model_file, models_of

from llamadiff.models.bench.streams import listen
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import Request, Sampling


async def first_s(path: Path, prompt: list[int], folder: Path) -> float:
    """Seconds to the first token on an engine of its own, the model being loaded already."""
    engine = Engine(folder / "engine.log", prompts=folder / "prompts")
    try:
        model = await engine.load(path)
        for tokens in (prompt[:8], prompt):
            request = Request(engine.new_id(), tokens, sampling=Sampling(max_tokens=1))
            (stream,) = await listen(engine, model, [request])
        return stream.first_s
    finally:
        await engine.close()


async def main() -> None:
    parser = file_options(__doc__, rounds=3)
    parser.add_argument("--tokens", type=int, action="append", help="[4000]")
    options = parser.parse_args()
    for shape, kind in models_of(options):
        path = model_file(options.files, shape, kind)
        for length in options.tokens or [4_000]:
            prompt = [300 + i * 7_919 % 31_000 for i in range(length)]
            cold, warm, size = [], [], 0
            for _ in range(options.rounds):
                with tempfile.TemporaryDirectory() as folder:
                    cold.append(await first_s(path, prompt, Path(folder)))
                    warm.append(await first_s(path, prompt, Path(folder)))
                    size = sum(p.stat().st_size for p in Path(folder).glob("prompts/*.kv"))
            ratio = median(w / c for w, c in zip(warm, cold, strict=True))
            print(
                f"{path.stem}, {length:,} tokens: {1000 * median(cold):,.0f} ms cold, "
                f"{1000 * median(warm):,.0f} ms from disk, {100 * ratio:.2f} %, "
                f"file of {size / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    asyncio.run(main())
