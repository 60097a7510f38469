"""ggml's packing of numbers into blocks, and llama.cpp's quantizing of whole files.

Called only in a process of its own (see models/writing): what is wrong with a file may end it.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .native import LOG_DEBUG, LOG_ERROR, NativeError, ggml, lib

Floats = np.ndarray[Any, np.dtype[np.float32]]
Packed = np.ndarray[Any, np.dtype[np.uint8]]

ROWS_IN_MEMORY = 256 << 20
"""Bytes of a tensor that llama.cpp holds at once while it quantizes."""

_TENSOR = re.compile(r"^\[\s*(\d+)/\s*(\d+)\]")
_PREFIX = re.compile(r"^\w+: failed to quantize: ")


class _Traits(ctypes.Structure):
    """ggml_type_traits of ggml.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("block", ctypes.c_int64),
        ("interleave", ctypes.c_int64),
        ("n_bytes", ctypes.c_size_t),
        ("quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
        ("from_float", ctypes.c_void_p),
    )


class Packing:
    """Tensor types by their number in ggml, as functions from and to float32."""

    def __init__(self) -> None:
        lib.llama_backend_init()
        library = ggml()
        self._traits = library.ggml_get_type_traits
        self._traits.restype, self._traits.argtypes = ctypes.POINTER(_Traits), [ctypes.c_int]
        self._pack = library.ggml_quantize_chunk
        self._pack.restype = ctypes.c_size_t
        self._pack.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
            ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
        ]  # fmt: skip

    def unpack(self, kind: int, data: Packed, count: int) -> Floats:
        """The `count` numbers that `data` holds in a type other than an integer one."""
        if kind == 0:
            return data.view(np.float32)
        numbers = np.empty(count, np.float32)
        to_float = self._traits(kind).contents.to_float
        if not to_float:
            raise NativeError(f"Tensors of type {kind} cannot be read as numbers.")
        to_float(data.ctypes.data, numbers.ctypes.data, count)
        return numbers

    def pack(self, kind: int, rows: Floats, n_bytes: int) -> Packed:
        """The rows, shape (rows, row length), in `n_bytes` of a type that takes no importance matrix."""
        packed = np.empty(n_bytes, np.uint8)
        rows = np.ascontiguousarray(rows)
        self._pack(kind, rows.ctypes.data, packed.ctypes.data, 0, *rows.shape, None)
        return packed


def quantize_file(
    source: Path,
    out: Path,
    file_type: int,
    *,
    requantize: bool,
    threads: int,
    on_tensor: Callable[[int, int], None],
) -> None:
    """Write `source` to `out`, quantized by the recipe that `file_type` (llama_ftype) numbers.

    `on_tensor` gets the number of the tensor that is begun, from 1, and how many there are.
    Raises NativeError with llama.cpp's own words when it refuses.
    """
    complaints: list[str] = []

    @lib.llama_log_callback
    def listen(level: int, text: bytes, _: Any) -> None:
        if level == LOG_DEBUG:
            return
        os.write(2, text)
        line = text.decode("utf-8", "replace").strip()
        if begun := _TENSOR.match(line):
            on_tensor(int(begun[1]), int(begun[2]))
        elif level == LOG_ERROR and line:
            complaints.append(line)

    lib.llama_log_set(listen, ctypes.c_void_p(0))
    lib.llama_backend_init()
    params = lib.llama_model_quantize_default_params()
    params.ftype = file_type
    params.nthread = threads
    params.allow_requantize = requantize
    params.max_buf_size = ROWS_IN_MEMORY
    code = lib.llama_model_quantize(os.fsencode(source), os.fsencode(out), ctypes.byref(params))
    if code != 0:
        why = _PREFIX.sub("", complaints[-1]) if complaints else "it gives no reason"
        raise NativeError(f"llama.cpp cannot quantize {source}: {why.rstrip('.!')}.")
