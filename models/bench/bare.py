"""The bare loop: what a careful programmer writes with llama.cpp's low-level calls, no engine.

    echo '{"type": "Decode", "tokens": 128}' | python -m llamadiff.models.bench.bare MODEL

Reads jobs from standard input, a JSON document a line, and answers each with one on standard
output; the first line says what the model is. It ends with its input. Prompts and steps are
timed as llama-bench times them: from an empty cache, random tokens, logits of the last token of
a batch, the clock stopped when the results are there.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from ..engine.native import lib
from ..engine.protocol import Sampling
from .jobs import N_CTX, N_UBATCH, NEVER, Decode, Job, Prefill, Ready, Took

NICENESS = 5
"""The engine's worker runs at this priority too: what else the machine does slows both alike."""


class BareError(Exception):
    """llama.cpp refused something."""


@lib.llama_log_callback
def _quiet(level: int, text: bytes, _: Any) -> None:
    """Only errors (4) are worth a line."""
    if level == 4:
        os.write(2, text)


class Loop:
    """A model, an adapter stack, and a context for each number of sequences asked for."""

    def __init__(self, path: str, adapters: Sequence[tuple[str, float]], n_threads: int) -> None:
        lib.llama_log_set(_quiet, ctypes.c_void_p(0))
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = -1
        self._model = lib.llama_model_load_from_file(path.encode(), params)
        if not self._model:
            raise BareError(f"llama.cpp cannot load {path}")
        self._adapters = [
            (lib.llama_adapter_lora_init(self._model, file.encode()), scale)
            for file, scale in adapters
        ]
        if not all(handle for handle, _ in self._adapters):
            raise BareError("llama.cpp cannot use an adapter")
        self._vocab = lib.llama_model_get_vocab(self._model)
        self._n_threads = n_threads
        self._n_ctx = min(lib.llama_model_n_ctx_train(self._model) or N_CTX, N_CTX)
        self._contexts: dict[int, Any] = {}
        self._batch = lib.llama_batch_init(N_UBATCH, 0, 1)
        for i in range(N_UBATCH):
            self._batch.n_seq_id[i] = 1
        self._random = random.Random(1)
        n_vocab = lib.llama_vocab_n_tokens(self._vocab)
        ends = [t for t in range(n_vocab) if lib.llama_vocab_is_eog(self._vocab, t)]
        self.ready = Ready(n_vocab, ends)

    def run(self, job: Job) -> Took:
        """Carry out a job. Raises BareError."""
        if isinstance(job, Prefill):
            return self._prefill(job)
        return self._decode(job)

    def _context(self, sequences: int) -> Any:
        if sequences not in self._contexts:
            params = lib.llama_context_default_params()
            params.n_ctx = self._n_ctx * sequences
            params.n_batch = params.n_ubatch = N_UBATCH
            params.n_seq_max = sequences
            params.n_threads = params.n_threads_batch = self._n_threads
            context = lib.llama_init_from_model(self._model, params)
            if not context:
                raise BareError(f"llama.cpp cannot make a context for {sequences} sequences")
            self._contexts[sequences] = context
            if count := len(self._adapters):
                handles = (lib.llama_adapter_lora_p_ctypes * count)(*(h for h, _ in self._adapters))
                scales = (ctypes.c_float * count)(*(scale for _, scale in self._adapters))
                lib.llama_set_adapters_lora(context, handles, count, scales)
            # The first call of a size sets up threads and touches fresh memory.
            for size in (N_UBATCH, 1):
                self._chunk(context, 0, min(size, self._n_ctx // 2), 0)
                lib.llama_synchronize(context)
                lib.llama_memory_clear(lib.llama_get_memory(context), False)
        return self._contexts[sequences]

    def _chunk(self, context: Any, sequence: int, count: int, start: int) -> None:
        """Decode `count` random tokens of a sequence at positions from `start`."""
        batch, n_vocab = self._batch, self.ready.n_vocab
        batch.n_tokens = count
        token, pos, seq_id, logits = batch.token, batch.pos, batch.seq_id, batch.logits
        for i in range(count):
            token[i] = int(self._random.random() * n_vocab)
            pos[i] = start + i
            seq_id[i][0] = sequence
            logits[i] = 0
        logits[count - 1] = 1
        self._call(context)

    def _call(self, context: Any) -> None:
        if code := lib.llama_decode(context, self._batch):
            raise BareError(f"llama.cpp failed to decode ({code})")

    def _prefill(self, job: Prefill) -> Took:
        context = self._context(1)
        memory = lib.llama_get_memory(context)
        lib.llama_memory_seq_rm(memory, 0, job.keep, -1)
        start, position = time.perf_counter(), job.keep
        for size in job.chunks:
            self._chunk(context, 0, size, position)
            position += size
        lib.llama_synchronize(context)
        return Took(sum(job.chunks), time.perf_counter() - start)

    def _decode(self, job: Decode) -> Took:
        context = self._context(job.sequences)
        lib.llama_memory_clear(lib.llama_get_memory(context), False)
        for sequence in range(job.sequences):
            for start in range(0, job.depth, N_UBATCH):
                self._chunk(context, sequence, min(N_UBATCH, job.depth - start), start)
        lib.llama_synchronize(context)
        samplers = [self._sampler(seed) for seed in range(job.sequences)]
        try:
            return self._steps(context, samplers, job)
        finally:
            for sampler in samplers:
                lib.llama_sampler_free(sampler)

    def _steps(self, context: Any, samplers: Sequence[Any], job: Decode) -> Took:
        decode, sample = lib.llama_decode, lib.llama_sampler_sample
        to_piece, vocab = lib.llama_token_to_piece, self._vocab
        buffer = ctypes.create_string_buffer(64)
        batch, sequences = self._batch, job.sequences
        batch.n_tokens = sequences
        token, pos = batch.token, batch.pos
        for i in range(sequences):
            token[i] = 0
            batch.seq_id[i][0] = i
            batch.logits[i] = 1
        pieces: list[list[bytes]] = [[] for _ in samplers]
        begin = time.perf_counter()
        for position in range(job.depth, job.depth + job.tokens):
            for i in range(sequences):
                pos[i] = position
            if code := decode(context, batch):
                raise BareError(f"llama.cpp failed to decode ({code})")
            for i in range(sequences):
                token[i] = sample(samplers[i], context, i)
                length = to_piece(vocab, token[i], buffer, 64, 0, False)
                pieces[i].append(buffer.raw[:length])
        return Took(sum(map(len, pieces)), time.perf_counter() - begin)

    def _sampler(self, seed: int) -> Any:
        """The chain the engine builds from its default settings."""
        settings = Sampling()
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        ends = self.ready.ends
        if ends:
            bias = (lib.llama_logit_bias * len(ends))(
                *(lib.llama_logit_bias(token, NEVER) for token in ends)
            )
            chain_bias = lib.llama_sampler_init_logit_bias(self.ready.n_vocab, len(ends), bias)
            lib.llama_sampler_chain_add(chain, chain_bias)
        for sampler in (
            lib.llama_sampler_init_top_k(settings.top_k),
            lib.llama_sampler_init_top_p(settings.top_p, 1),
            lib.llama_sampler_init_min_p(settings.min_p, 1),
            lib.llama_sampler_init_temp(settings.temperature),
            lib.llama_sampler_init_dist(seed),
        ):
            lib.llama_sampler_chain_add(chain, sampler)
        return chain


def _adapter(text: str) -> tuple[str, float]:
    """FILE@SCALE."""
    path, _, scale = text.rpartition("@")
    return path, float(scale)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("-a", dest="adapters", action="append", default=[], type=_adapter)
    parser.add_argument("-t", dest="threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    os.nice(NICENESS)
    try:
        loop = Loop(options.model, options.adapters, options.threads)
        _say(loop.ready)
        for line in sys.stdin:
            _say(loop.run(msgspec.json.decode(line, type=Job)))
    except BareError as error:
        sys.exit(f"{error}.")


def _say(answer: Ready | Took) -> None:
    print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    main()
