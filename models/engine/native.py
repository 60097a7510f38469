"""The one file that touches llama_cpp: models, contexts and adapters as small objects.

Nothing here decides anything; the scheduler does. Every call that could abort
the process is guarded by its caller or refused here (see docs/architecture.md).
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import llama_cpp.llama_cpp as bindings
import numpy as np
from llama_cpp import __version__ as binding_version

from .chunks import LARGEST, score_rows
from .protocol import AdapterUse, Hello, ModelInfo, ModelSettings

lib: Any = bindings
"""The ctypes bindings, untyped: their stubs call every handle optional."""

KV_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "bf16": 30}
FLASH_ATTN_AUTO, FLASH_ATTN_OFF = -1, 0
LOG_DEBUG, LOG_WARN, LOG_ERROR = 1, 3, 4
DECODE_OK, DECODE_FULL, DECODE_ABORTED = 0, 1, 2
MAX_CONTEXT = 4096
SMALL_MODEL = 20_000_000
"""Parameters up to which one thread decodes faster than several, which wait for each other."""


class NativeError(Exception):
    """llama.cpp refused something; the message is one sentence."""


class _Log(threading.local):
    """Level and text of what llama.cpp complained of on this thread, newest last."""

    def __init__(self) -> None:
        self.lines: deque[tuple[int, str]] = deque(maxlen=40)


_recent = _Log()


@lib.llama_log_callback
def _log(level: int, text: bytes, _: Any) -> None:
    if level == LOG_DEBUG:
        return
    line = text.decode("utf-8", "replace")
    os.write(2, text)
    if level in (LOG_ERROR, LOG_WARN) and line.strip():
        _recent.lines.append((level, line.strip()))


def listen() -> None:
    """Forget earlier complaints: `complaint` tells of what this thread calls from now on."""
    _recent.lines.clear()


def complaint() -> str:
    """Why llama.cpp refused, for a sentence of ours: the first thing it logged since `listen`."""
    lines = [text for level, text in _recent.lines if level == LOG_ERROR]
    lines = lines or [text for _, text in _recent.lines]
    return lines[0].rstrip(".") if lines else "it gives no reason (see the engine's log)"


def start() -> Hello:
    """Initialise the back ends and send llama.cpp's log to file descriptor 2."""
    lib.llama_log_set(_log, ctypes.c_void_p(0))
    lib.llama_backend_init()
    return Hello(
        llama_cpp=f"llama-cpp-python {binding_version}",
        system_info=system_info(),
        backends=_device_names(),
        gpu_offload=bool(lib.llama_supports_gpu_offload()),
        pid=os.getpid(),
    )


def system_info() -> str:
    """What llama.cpp was built with and what this processor offers it."""
    return lib.llama_print_system_info().decode()


def ggml() -> Any:
    """The library below llama.cpp: a ctypes handle whose functions have no types yet."""
    from llama_cpp._ggml import libggml

    return libggml


def _device_names() -> list[str]:
    library = ggml()
    count, get = library.ggml_backend_dev_count, library.ggml_backend_dev_get
    count.restype, get.restype, get.argtypes = ctypes.c_size_t, ctypes.c_void_p, [ctypes.c_size_t]
    try:
        name = library.ggml_backend_dev_name
    except AttributeError:
        return ["CPU"]
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    return [name(get(i)).decode() for i in range(count())]


def physical_cores() -> int:
    """Physical cores this process may run on."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, allowed or 1))


def context_length(settings: ModelSettings, trained: int) -> int:
    """Tokens per sequence: what the settings say, or the trained length up to MAX_CONTEXT."""
    return settings.n_ctx or min(trained or MAX_CONTEXT, MAX_CONTEXT)


class Adapter:
    """A LoRA file loaded for one model; freed with it."""

    def __init__(self, model: Model, path: str) -> None:
        listen()
        self.handle = lib.llama_adapter_lora_init(model.handle, path.encode())
        if not self.handle:
            raise NativeError(f"llama.cpp cannot use the adapter {path}: {complaint()}")


class Model:
    """A base model's weights and vocabulary. Contexts share them."""

    def __init__(
        self, path: str, settings: ModelSettings, on_progress: Callable[[float], bool]
    ) -> None:
        """Load a file; `on_progress` gets the fraction done and says whether to go on."""
        params = lib.llama_model_default_params()
        params.n_gpu_layers = settings.n_gpu_layers

        @lib.llama_progress_callback
        def progress(fraction: float, _: Any) -> bool:
            return on_progress(fraction)

        params.progress_callback = progress
        listen()
        self.path = path
        self.handle = lib.llama_model_load_from_file(path.encode(), params)
        if not self.handle:
            raise NativeError(f"llama.cpp cannot load {path}: {complaint()}")
        self.vocab = lib.llama_model_get_vocab(self.handle)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.n_ctx_train = lib.llama_model_n_ctx_train(self.handle)
        self.n_threads = settings.n_threads or self._good_threads()
        self.n_ctx = context_length(settings, self.n_ctx_train)
        self.settings = settings
        self._pieces: dict[int, bytes] = {}
        self._adapters: dict[tuple[str, str], Adapter] = {}
        self._special = frozenset(
            token for token in range(self.n_vocab) if lib.llama_vocab_is_eog(self.vocab, token)
        )

    def _good_threads(self) -> int:
        small = lib.llama_model_n_params(self.handle) <= SMALL_MODEL
        return 1 if small else physical_cores()

    def close(self) -> None:
        """Free the weights. Every context of the model must be closed before."""
        for adapter in self._adapters.values():
            lib.llama_adapter_lora_free(adapter.handle)
        self._adapters.clear()
        lib.llama_model_free(self.handle)

    def info(self, can_rewind: bool) -> ModelInfo:
        gpu = lib.llama_supports_gpu_offload() and self.settings.n_gpu_layers != 0
        layers = lib.llama_model_n_layer(self.handle) + 1
        wanted = self.settings.n_gpu_layers
        return ModelInfo(
            n_ctx=self.n_ctx,
            n_ctx_train=self.n_ctx_train,
            n_vocab=self.n_vocab,
            n_threads=self.n_threads,
            n_ubatch=self.settings.n_ubatch or LARGEST,
            kv_type=self.settings.kv_type,
            n_params=lib.llama_model_n_params(self.handle),
            size=lib.llama_model_size(self.handle),
            backend=next((d for d in _device_names() if gpu and d != "CPU"), "CPU"),
            n_gpu_layers=(layers if wanted < 0 else min(wanted, layers)) if gpu else 0,
            bos=self._special_text(lib.llama_vocab_bos(self.vocab)),
            eos=self._special_text(lib.llama_vocab_eos(self.vocab)),
            add_bos=bool(lib.llama_vocab_get_add_bos(self.vocab)),
            can_rewind=can_rewind,
        )

    def _special_text(self, token: int) -> str:
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def is_end(self, token: int) -> bool:
        """The token ends a generation (EOS, end of turn and their kin)."""
        return token in self._special

    def tokenize(self, text: str, add_special: bool) -> list[int]:
        """Token ids of `text`; special tokens written in it are recognised.

        Call on a thread with a large stack: some vocabularies recurse once per
        character on long runs of one letter.
        """
        data = text.encode()
        room = len(data) + 8
        while True:
            buffer = (lib.llama_token * room)()
            n = lib.llama_tokenize(self.vocab, data, len(data), buffer, room, add_special, True)
            if n >= 0:
                return buffer[:n]
            room = -n

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes a token stands for; special tokens are empty unless asked for."""
        if not special and (known := self._pieces.get(token)) is not None:
            return known
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, special)
            if n >= 0:
                break
            size = -n
        text = buffer.raw[:n]
        if not special:
            self._pieces[token] = text
        return text

    def candidates(self, logits: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
        """Every token with its logit, as a llama_token_data_array; valid until the next call."""
        self._table["id"] = np.arange(self.n_vocab, dtype=np.int32)
        self._table["logit"] = logits
        return lib.llama_token_data_array(
            data=ctypes.cast(self._table.ctypes.data, ctypes.POINTER(lib.llama_token_data)),
            size=self.n_vocab, selected=-1, sorted=False,
        )  # fmt: skip

    def candidate_logits(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The logits of `candidates` as they are now, in its order."""
        return self._table["logit"]

    @functools.cached_property
    def _table(self) -> np.ndarray[Any, Any]:
        return np.zeros(self.n_vocab, [("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])

    def has_adapter(self, use: AdapterUse) -> bool:
        """This version of the adapter file is loaded."""
        return (use.path, use.version) in self._adapters

    def adapter(self, use: AdapterUse) -> Adapter:
        """The adapter file, loaded once for each version of it."""
        key = (use.path, use.version)
        if key not in self._adapters:
            self._adapters[key] = Adapter(self, use.path)
        return self._adapters[key]


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


def schema_to_grammar(schema: str) -> str:
    """GBNF text for a JSON Schema. Raises NativeError when it cannot be expressed."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return json_schema_to_gbnf(schema)
    except MemoryError:
        raise
    except Exception as error:
        why = str(error) or type(error).__name__
        raise NativeError(f"The JSON Schema cannot become a grammar: {why}.") from error
