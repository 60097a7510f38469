"""llama_cpp.Llama, the high-level class, streaming: a process that answers one line per line.

Reads {"tokens": N, "depth": D} from standard input and answers {"tokens_per_s": …}: tokens after
the first one, over the time between the first chunk and the last.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

from llama_cpp import Llama

NICENESS = 5
"""That of the engine's worker."""


def tokens_per_s(llama: Llama, tokens: int, depth: int) -> float:
    """A stream begun after `depth` random tokens; one that ends by half is begun again."""
    while True:
        prompt = [random.randrange(3, llama.n_vocab()) for _ in range(depth)]
        seen = [
            (time.perf_counter(), llama.n_tokens)
            for _ in llama.create_completion(
                prompt,
                max_tokens=tokens,
                stream=True,
                temperature=0.8,
                top_k=40,
                top_p=0.95,
                min_p=0.05,
                repeat_penalty=1.0,
                seed=random.randrange(2**31),
            )
        ]
        (begin, first), last = seen[0], seen[-1][1]
        end = next(at for at, count in seen if count == last)
        if last - first >= tokens // 2:
            return (last - first) / (end - begin)


def main() -> None:
    os.nice(NICENESS)
    path, threads = sys.argv[1], int(sys.argv[2])
    llama = Llama(
        path,
        n_ctx=4096,
        n_threads=threads,
        n_threads_batch=threads,
        flash_attn=True,
        verbose=False,
    )
    for line in sys.stdin:
        job = json.loads(line)
        speed = tokens_per_s(llama, job["tokens"], job["depth"])
        print(json.dumps({"tokens_per_s": speed}), flush=True)


if __name__ == "__main__":
    main()
