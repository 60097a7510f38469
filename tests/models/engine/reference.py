"""A slow, simple engine to hold the real one against: a fresh llama.cpp context for every request.

Run as `python reference.py MODEL N_CTX N_THREADS`. It reads requests as JSON lines and answers
each with one; the first line it writes gives the vocabulary. Of the engine it knows nothing but
how a prompt is cut into chunks (`chunks.plan`), on which the bits depend.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import llama_cpp.llama_cpp as bindings
import numpy as np

from llamadiff.models.engine.chunks import plan

lib: Any = bindings
F16, NO_FLASH_ATTENTION = 1, 0
DRY_BREAKERS = (b"\n", b":", b'"', b"*")


@lib.llama_log_callback
def say_nothing(level: int, text: bytes, _: object) -> None:
    """Keeps what llama.cpp logs off the terminal."""


class Reference:
    """A model, its adapters, and one answer at a time."""

    def __init__(self, path: str, n_ctx: int, n_threads: int) -> None:
        lib.llama_log_set(say_nothing, ctypes.c_void_p(0))
        lib.llama_backend_init()
        self.model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        assert self.model, path
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.n_ctx = n_ctx
        self.n_threads = n_threads
        self.adapters: dict[str, Any] = {}

    def vocabulary(self) -> dict[str, Any]:
        """The bytes of every token, as latin-1, and the tokens that end a generation."""
        pieces: list[str] = []
        for token in range(self.n_vocab):
            buffer = ctypes.create_string_buffer(256)
            n = lib.llama_token_to_piece(self.vocab, token, buffer, 256, 0, False)
            assert n >= 0
            pieces.append(buffer.raw[:n].decode("latin-1"))
        ends = [t for t in range(self.n_vocab) if lib.llama_vocab_is_eog(self.vocab, t)]
        return {"pieces": pieces, "ends": ends}

    def answer(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """What follows `tokens`: token ids, (log-probability, alternatives) of each, and why it ended.

        With `forced`, those tokens are taken instead of sampled ones, and only scored.
        """
        context = self._context(ask["adapters"])
        chain = self._chain(ask["sampling"], ask["tokens"])
        try:
            return self._generate(context, chain, ask)
        finally:
            lib.llama_sampler_free(chain)
            lib.llama_free(context)

    def _context(self, adapters: Sequence[tuple[str, float]]) -> Any:
        params = lib.llama_context_default_params()
        params.n_ctx = self.n_ctx
        params.n_batch = params.n_ubatch = 512
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = self.n_threads
        params.type_k = params.type_v = F16
        params.flash_attn_type = NO_FLASH_ATTENTION
        params.kv_unified = False
        params.swa_full = True
        context = lib.llama_init_from_model(self.model, params)
        assert context
        if adapters:
            for path, _ in adapters:
                if path not in self.adapters:
                    self.adapters[path] = lib.llama_adapter_lora_init(self.model, path.encode())
                    assert self.adapters[path], path
            handles = [self.adapters[path] for path, _ in adapters]
            n = len(handles)
            lib.llama_set_adapters_lora(
                context,
                (lib.llama_adapter_lora_p_ctypes * n)(*handles),
                n,
                (ctypes.c_float * n)(*(scale for _, scale in adapters)),
            )
        return context

    def _generate(self, context: Any, chain: Any, ask: Mapping[str, Any]) -> dict[str, Any]:
        prompt, forced = ask["tokens"], ask.get("forced")
        most = len(forced) if forced is not None else ask["sampling"]["max_tokens"]
        start = 0
        for end in plan(len(prompt)):
            self._decode(context, prompt[start:end], start, logits=end == len(prompt))
            start = end
        tokens: list[int] = []
        scores: list[tuple[float, list[tuple[int, float]]]] = []
        while True:
            if forced is None:
                token = lib.llama_sampler_sample(chain, context, -1)
                if lib.llama_vocab_is_eog(self.vocab, token):
                    return {"tokens": tokens, "logprobs": scores, "reason": "stop"}
            elif len(tokens) == most:
                return {"tokens": tokens, "logprobs": scores, "reason": "forced"}
            else:
                token = forced[len(tokens)]
            tokens.append(token)
            if ask["logprobs"]:
                scores.append(self._score(context, token, ask["logprobs"]))
            if forced is None and len(tokens) == most:
                return {"tokens": tokens, "logprobs": scores, "reason": "length"}
            if start == self.n_ctx:
                return {"tokens": tokens, "logprobs": scores, "reason": "context"}
            self._decode(context, [token], start, logits=True)
            start += 1

    def _decode(self, context: Any, tokens: Sequence[int], start: int, *, logits: bool) -> None:
        """Positions from `start`; logits of the last one where asked."""
        batch = lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, start + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = logits and i == len(tokens) - 1
        code = lib.llama_decode(context, batch)
        lib.llama_batch_free(batch)
        assert code == 0, code

    def _score(self, context: Any, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        """Log-softmax of the last logits: the token's, and the `top` largest with their tokens."""
        pointer = lib.llama_get_logits_ith(context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.n_vocab,)).astype(np.float64)
        scores = logits - np.logaddexp.reduce(logits)
        best = np.argsort(-scores, kind="stable")[:top]
        return float(scores[token]), [(int(i), float(scores[i])) for i in best]

    def _chain(self, s: Mapping[str, Any], prompt: Sequence[int]) -> Any:
        """Every sampler of the settings, those that are off included: llama.cpp knows them as such."""
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for sampler in self._samplers(s, prompt):
            lib.llama_sampler_chain_add(chain, sampler)
        return chain

    def _samplers(self, s: Mapping[str, Any], prompt: Sequence[int]) -> Iterator[Any]:
        if s["logit_bias"]:
            pairs = [lib.llama_logit_bias(int(t), bias) for t, bias in s["logit_bias"].items()]
            array = (lib.llama_logit_bias * len(pairs))(*pairs)
            yield lib.llama_sampler_init_logit_bias(self.n_vocab, len(pairs), array)
        greedy = s["temperature"] == 0
        for name in s["samplers"]:
            if name in ("penalties", "dry"):
                sampler = self._filter(name, s)
                for token in prompt:
                    lib.llama_sampler_accept(sampler, token)
                yield sampler
            elif not (greedy or s["mirostat"]):
                yield self._filter(name, s)
        if greedy:
            yield lib.llama_sampler_init_greedy()
        elif s["mirostat"] == 2:
            yield lib.llama_sampler_init_temp(s["temperature"])
            yield lib.llama_sampler_init_mirostat_v2(
                s["seed"], s["mirostat_tau"], s["mirostat_eta"]
            )
        else:
            yield lib.llama_sampler_init_dist(s["seed"])

    def _filter(self, name: str, s: Mapping[str, Any]) -> Any:
        match name:
            case "penalties":
                last = s["repeat_last_n"] if s["repeat_last_n"] >= 0 else self.n_ctx
                return lib.llama_sampler_init_penalties(
                    self.n_vocab,
                    last,
                    s["repeat_penalty"],
                    s["frequency_penalty"],
                    s["presence_penalty"],
                )
            case "dry":
                last = s["dry_penalty_last_n"] if s["dry_penalty_last_n"] >= 0 else self.n_ctx
                return lib.llama_sampler_init_dry(
                    self.vocab,
                    s["dry_multiplier"],
                    s["dry_base"],
                    s["dry_allowed_length"],
                    last,
                    (ctypes.c_char_p * len(DRY_BREAKERS))(*DRY_BREAKERS),
                    len(DRY_BREAKERS),
                )
            case "top_n_sigma":
                return lib.llama_sampler_init_top_n_sigma(s["top_n_sigma"])
            case "top_k":
                return lib.llama_sampler_init_top_k(s["top_k"])
            case "typical_p":
                return lib.llama_sampler_init_typical(s["typical_p"], 1)
            case "top_p":
                return lib.llama_sampler_init_top_p(s["top_p"], 1)
            case "min_p":
                return lib.llama_sampler_init_min_p(s["min_p"], 1)
            case "xtc":
                return lib.llama_sampler_init_xtc(
                    s["xtc_probability"], s["xtc_threshold"], 1, s["seed"]
                )
            case _:
                return lib.llama_sampler_init_temp_ext(
                    s["temperature"], s["dynatemp_range"], s["dynatemp_exponent"]
                )


def main() -> None:
    model, n_ctx, n_threads = sys.argv[1:]
    reference = Reference(model, int(n_ctx), int(n_threads))
    print(json.dumps(reference.vocabulary()), flush=True)
    for line in sys.stdin:
        print(json.dumps(reference.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
