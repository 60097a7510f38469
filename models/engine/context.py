"""A llama.cpp context: the caches of some sequences of a model, and what is computed in them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from .chunks import LARGEST, score_rows
from .native import KV_TYPES, Model, NativeError, complaint, lib, listen
from .protocol import AdapterUse

FLASH_ATTN_AUTO, FLASH_ATTN_OFF = -1, 0
DECODE_OK, DECODE_FULL, DECODE_ABORTED = 0, 1, 2


class AbortFlag:
    """Two bytes that stop a decode when the first is set.

    libc's strlen serves as the abort callback: of "\\0\\0" it is 0 (go on), of
    "\\1\\0" it is 1 (stop), and being C it needs no GIL.
    """

    def __init__(self) -> None:
        self._bytes = (ctypes.c_char * 2)(b"\0", b"\0")
        self._strlen = ctypes.CDLL(None).strlen
        self.callback = ctypes.cast(self._strlen, lib.ggml_abort_callback)
        self.address = ctypes.addressof(self._bytes)

    def set(self) -> None:
        self._bytes[0] = b"\1"

    def clear(self) -> None:
        self._bytes[0] = b"\0"


class Context:
    """A llama.cpp context: one KV cache of `n_seq` streams, one adapter stack, one batch."""

    def __init__(self, model: Model, n_seq: int, exact: bool, abort: AbortFlag) -> None:
        params = lib.llama_context_default_params()
        settings = model.settings
        params.n_ctx = model.n_ctx * n_seq
        params.n_batch = max(LARGEST, n_seq)
        params.n_ubatch = min(params.n_batch, max(settings.n_ubatch or LARGEST, n_seq))
        params.n_outputs_max = max(score_rows(model.n_vocab), n_seq)
        params.n_seq_max = n_seq
        params.n_threads = params.n_threads_batch = model.n_threads
        params.type_k = params.type_v = KV_TYPES[settings.kv_type]
        params.flash_attn_type = FLASH_ATTN_OFF if exact else FLASH_ATTN_AUTO
        params.kv_unified = False
        params.swa_full = True
        params.abort_callback = abort.callback
        params.abort_callback_data = abort.address
        listen()
        self.handle = lib.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise NativeError(
                f"llama.cpp cannot make a context of {model.n_ctx:,} tokens for {n_seq} at once: "
                f"{complaint()}."
            )
        self.model = model
        self.n_seq = n_seq
        self._threads = model.n_threads
        self.n_ctx = min(model.n_ctx, lib.llama_n_ctx_seq(self.handle))
        self._memory = lib.llama_get_memory(self.handle)
        self.copying = False
        """A copy is due: llama.cpp makes it at the next decode, over whatever is there by then."""
        self.can_shift = bool(lib.llama_memory_can_shift(self._memory))
        self._batch = lib.llama_batch_init(params.n_batch, 0, 1)
        for i in range(params.n_batch):
            self._batch.n_seq_id[i] = 1

    def close(self) -> None:
        lib.llama_batch_free(self._batch)
        lib.llama_free(self.handle)

    def set_adapters(self, stack: Sequence[AdapterUse]) -> None:
        """Replace the adapter stack. What the cache holds was computed under the old one."""
        n = len(stack)
        listen()
        if n == 0:
            code = lib.llama_set_adapters_lora(self.handle, None, 0, None)
        else:
            handles = (lib.llama_adapter_lora_p_ctypes * n)(
                *(self.model.adapter(use).handle for use in stack)
            )
            scales = (ctypes.c_float * n)(*(use.scale for use in stack))
            code = lib.llama_set_adapters_lora(self.handle, handles, n, scales)
        if code != 0:
            raise NativeError(f"llama.cpp refused the adapter stack ({code}): {complaint()}.")

    def prefill(self, seq: int, tokens: Sequence[int], start: int, outputs: int) -> int:
        """Decode `tokens` of one sequence at positions from `start`; logits for the last `outputs`.

        Returns llama_decode's code: 0 done, 1 cache full, 2 aborted.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        token, pos, seq_id, wants = batch.token, batch.pos, batch.seq_id, batch.logits
        for i, value in enumerate(tokens):
            token[i] = value
            pos[i] = start + i
            seq_id[i][0] = seq
            wants[i] = i >= len(tokens) - outputs
        self.copying = False
        return lib.llama_decode(self.handle, batch)

    def step(self, rows: Sequence[tuple[int, int, int]]) -> int:
        """Decode one token for each (sequence, token, position); row i's logits are output i."""
        batch = self._batch
        batch.n_tokens = len(rows)
        token, pos, seq_id, wants = batch.token, batch.pos, batch.seq_id, batch.logits
        for i, (seq, value, position) in enumerate(rows):
            token[i] = value
            pos[i] = position
            seq_id[i][0] = seq
            wants[i] = 1
        self.copying = False
        return lib.llama_decode(self.handle, batch)

    def logits(self, index: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The logits of batch row `index` of the last decode, shape (n_vocab,); a view."""
        row = lib.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(row, shape=(self.model.n_vocab,))

    def all_logits(self, count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The logits of all `count` outputs of the last decode, shape (count, n_vocab); a view."""
        rows = lib.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(rows, shape=(count, self.model.n_vocab))

    def use_threads(self, count: int) -> None:
        """Compute on this many threads from now on."""
        if count != self._threads:
            self._threads = count
            lib.llama_set_n_threads(self.handle, count, count)

    def truncate(self, seq: int, length: int) -> bool:
        """Keep the first `length` positions of a sequence; False if the model cannot rewind."""
        return bool(lib.llama_memory_seq_rm(self._memory, seq, length, -1))

    def shift(self, seq: int, keep: int, discard: int) -> None:
        """Drop `discard` positions after the first `keep` and move what follows down.

        Only where `can_shift`; no decode may follow that expects the old positions.
        """
        lib.llama_memory_seq_rm(self._memory, seq, keep, keep + discard)
        lib.llama_memory_seq_add(self._memory, seq, keep + discard, -1, -discard)

    def copy(self, source: int, target: int) -> None:
        """Make sequence `target` a copy of `source`, cache and all."""
        lib.llama_memory_seq_rm(self._memory, target, -1, -1)
        self.copying = True
        lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def state_size(self, seq: int) -> int:
        """Bytes that `state` takes."""
        return lib.llama_state_seq_get_size(self.handle, seq)

    def state(self, seq: int) -> memoryview:
        """All that the cache holds of a sequence, as llama.cpp writes it; empty if it cannot."""
        size = self.state_size(seq)
        buffer = (ctypes.c_uint8 * size)()
        written = lib.llama_state_seq_get_data(self.handle, buffer, size, seq)
        return memoryview(buffer).cast("B")[:written]

    def restore(self, seq: int, state: bytes) -> bool:
        """Have a sequence hold what `state` gave; False when this context cannot."""
        self.truncate(seq, 0)
        data = ctypes.cast(ctypes.c_char_p(state), ctypes.POINTER(ctypes.c_uint8))
        return lib.llama_state_seq_set_data(self.handle, data, len(state), seq) > 0

    def clear(self) -> None:
        """Forget every sequence."""
        lib.llama_memory_clear(self._memory, False)


def can_rewind(model: Model, abort: AbortFlag) -> bool:
    """Whether the model's cache can drop its tail: decode two tokens, try to remove one."""
    context = Context(model, 1, False, abort)
    try:
        if context.prefill(0, [0, 0], 0, 0) != DECODE_OK:
            return False
        return context.truncate(0, 1)
    finally:
        context.close()
