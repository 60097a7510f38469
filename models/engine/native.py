"""The one file that touches llama_cpp: models, contexts and adapters as small objects.

Nothing here decides anything; the scheduler does. Every call that could abort
the process is guarded by its caller or refused here (see docs/engine.md).
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as bindings
import numpy as np
from llama_cpp import __version__ as binding_version

from .chunks import LARGEST
from .protocol import AdapterUse, Hello, ModelInfo, ModelSettings, SpecialTexts, file_version
from .tokenizing import Tokenizer

lib: Any = bindings
"""The ctypes bindings, untyped: their stubs call every handle optional."""

KV_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "bf16": 30}
LOG_DEBUG, LOG_WARN, LOG_ERROR = 1, 3, 4
MAX_CONTEXT = 4096
CONTROL = 1 | 8
"""LLAMA_TOKEN_ATTR_UNKNOWN and _CONTROL: tokens that mean something other than their text."""
ADDED = 16
"""LLAMA_TOKEN_ATTR_USER_DEFINED. These and those of CONTROL are recognised in a text."""
SENTENCEPIECE = 1
"""LLAMA_VOCAB_TYPE_SPM."""
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


def end_with_parent() -> None:
    """Have the system kill this process when its parent ends, where it can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


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


class _Pieces(dict[int, bytes]):
    """The bytes that the tokens of a vocabulary stand for, by id."""

    def __init__(self, vocab: Any, *, special: bool) -> None:
        super().__init__()
        self._vocab, self._special = vocab, special

    def __missing__(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, self._special)
            if n >= 0:
                break
            size = -n
        self[token] = buffer.raw[:n]
        return self[token]


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
        self.version = file_version(Path(path))
        self.handle = lib.llama_model_load_from_file(path.encode(), params)
        if not self.handle:
            raise NativeError(f"llama.cpp cannot load {path}: {complaint()}")
        self.vocab = lib.llama_model_get_vocab(self.handle)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        if not self._has_every_byte():
            lib.llama_model_free(self.handle)
            raise NativeError(
                f"{path} has a vocabulary without a token for every byte, which llama.cpp cannot "
                "tokenize all text with; convert the model again."
            )
        if not self._has_what_it_adds():
            lib.llama_model_free(self.handle)
            raise NativeError(
                f"{path} sets a token before or after every text that its vocabulary does not "
                "have; convert the model again."
            )
        self.n_ctx_train = lib.llama_model_n_ctx_train(self.handle)
        self.n_swa = lib.llama_model_n_swa(self.handle)
        """Positions that layers with sliding-window attention look back; 0 if there are none."""
        self.n_threads = settings.n_threads or self._good_threads()
        self.n_ctx = context_length(settings, self.n_ctx_train)
        self.settings = settings
        self._pieces = _Pieces(self.vocab, special=True)
        self._plain_pieces = _Pieces(self.vocab, special=False)
        self._adapters: dict[tuple[str, str], Adapter] = {}
        self._ends = frozenset(
            token for token in range(self.n_vocab) if lib.llama_vocab_is_eog(self.vocab, token)
        )

    def _has_what_it_adds(self) -> bool:
        """llama.cpp ends the process over a BOS or EOS that is to be added and is not there."""
        adds = (
            (lib.llama_vocab_get_add_bos, lib.llama_vocab_bos),
            (
                lib.llama_vocab_get_add_eos,
                lib.llama_vocab_eos,
            ),
        )
        return all(token(self.vocab) >= 0 for wanted, token in adds if wanted(self.vocab))

    def _has_every_byte(self) -> bool:
        """llama.cpp ends the process over a byte that a SentencePiece vocabulary has no token for."""
        if lib.llama_vocab_type(self.vocab) != SENTENCEPIECE:
            return True
        texts = {lib.llama_vocab_get_text(self.vocab, token) for token in range(self.n_vocab)}
        return all(b"<0x%02X>" % byte in texts or bytes([byte]) in texts for byte in range(256))

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
            context_shift=self.settings.context_shift,
        )

    def _special_text(self, token: int) -> str:
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def is_end(self, token: int) -> bool:
        """The token ends a generation (EOS, end of turn and their kin)."""
        return token in self._ends

    @property
    def ends(self) -> tuple[int, ...]:
        """Every token that `is_end`."""
        return tuple(sorted(self._ends))

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[int]:
        """Token ids of `texts`, one behind the other; special tokens written in one are recognised.

        Call on a thread with a large stack, always the same: some vocabularies recurse once per
        character on long runs of one letter.
        """
        return self._tokenizer.tokenize(texts, add_special)

    @functools.cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self)

    def plain_tokens(self, text: str, add_special: bool) -> list[int]:
        """Token ids of the whole text at once; `tokenize` says what that is bad for."""
        data = text.encode()
        room = len(data) + 8
        while True:
            buffer = (lib.llama_token * room)()
            n = lib.llama_tokenize(self.vocab, data, len(data), buffer, room, add_special, True)
            if n >= 0:
                return buffer[:n]
            room = -n

    def special_texts(self) -> list[str]:
        """How the special tokens are written that `tokenize` recognises."""
        return [*self.special.control, *self.special.added]

    def know_special(self) -> None:
        """Find the special tokens now, on a thread that may take its time."""
        _ = self.special

    @functools.cached_property
    def special(self) -> SpecialTexts:
        """How the special tokens are written, those that are blank left out."""
        control: list[str] = []
        added: list[str] = []
        for token in range(self.n_vocab):
            kind = lib.llama_vocab_get_attr(self.vocab, token)
            if not kind & (CONTROL | ADDED):
                continue
            text = lib.llama_vocab_get_text(self.vocab, token).decode("utf-8", "replace")
            if text.strip():
                (control if kind & CONTROL else added).append(text)
        return SpecialTexts(tuple(control), tuple(added))

    def adds_space(self) -> bool:
        """A text gets a space in front before it is tokenized."""
        return b"".join(map(self.piece, self.plain_tokens("a", False))).startswith(b" ")

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes a token stands for; special tokens are empty unless asked for."""
        return (self._pieces if special else self._plain_pieces)[token]

    def texts(self, tokens: Sequence[int]) -> dict[int, bytes]:
        """The bytes that each of these tokens stands for, special tokens included."""
        return {token: self._pieces[token] for token in set(tokens)}

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

    def free_old_adapters(self, held: Collection[AdapterUse]) -> None:
        """Free what no context holds of adapter files: versions before the last one, and files that
        are gone, as the checkpoints of a training are."""
        in_use = {(use.path, use.version) for use in held}
        last = dict(self._adapters.keys())
        for path, version in list(self._adapters):
            old = version != last[path] or not Path(path).exists()
            if old and (path, version) not in in_use:
                lib.llama_adapter_lora_free(self._adapters.pop((path, version)).handle)


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
