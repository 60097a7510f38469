"""Logits as llama.cpp alone computes them: python … MODEL TOKENS OUT.npy, stacks on stdin.

A stack is a list of (adapter file, scale). Writes (stacks, tokens, vocabulary) in float32.
"""

import ctypes
import json
import sys
from typing import Any

import llama_cpp.llama_cpp as bindings
import numpy as np

lib: Any = bindings
F32, NO_FLASH_ATTENTION = 0, 0


@lib.llama_log_callback
def log(level: int, text: bytes, _: object) -> None:
    if level >= 3:
        sys.stderr.write(text.decode("utf-8", "replace"))


def answer(model: Any, tokens: list[int], stack: list[tuple[str, float]]) -> np.ndarray:
    params = lib.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 256
    params.n_threads = params.n_threads_batch = 1
    params.type_k = params.type_v = F32
    params.flash_attn_type = NO_FLASH_ATTENTION
    params.swa_full = True
    context = lib.llama_init_from_model(model, params)
    if stack:
        handles = [lib.llama_adapter_lora_init(model, path.encode()) for path, _ in stack]
        assert all(handles), stack
        n = len(stack)
        scales = (ctypes.c_float * n)(*(scale for _, scale in stack))
        adapters = (lib.llama_adapter_lora_p_ctypes * n)(*handles)
        assert lib.llama_set_adapters_lora(context, adapters, n, scales) == 0
    batch = lib.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, token in enumerate(tokens):
        batch.token[i], batch.pos[i], batch.logits[i] = token, i, 1
        batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
    assert lib.llama_decode(context, batch) == 0
    size = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    rows = np.ctypeslib.as_array(lib.llama_get_logits(context), shape=(len(tokens), size)).copy()
    lib.llama_batch_free(batch)
    lib.llama_free(context)
    return rows


def main() -> None:
    path, tokens, out = sys.argv[1:]
    lib.llama_log_set(log, ctypes.c_void_p(0))
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    assert model, path
    np.save(out, np.stack([answer(model, json.loads(tokens), it) for it in json.load(sys.stdin)]))


main()
