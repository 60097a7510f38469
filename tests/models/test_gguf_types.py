"""The tables of numbers agree with the llama.cpp that is installed."""

import ctypes
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import gguf
from gguf.constants import MODEL_ARCH_NAMES

from llamadiff.models.gguf.architectures import CAUSAL, NOT_CAUSAL
from llamadiff.models.gguf.types import REMOVED_TENSOR_TYPES, TENSOR_TYPES

LOAD_EACH = """
import ctypes, json, pathlib, sys
import llama_cpp.llama_cpp as lib
lines = []
keep = lib.llama_log_callback(lambda level, text, data: lines.append(text.decode()))
lib.llama_log_set(keep, ctypes.c_void_p(0))
params = lib.llama_model_default_params()
params.vocab_only = True
unknown = []
for name in sys.argv[2:]:
    lines.clear()
    path = pathlib.Path(sys.argv[1], name + ".gguf")
    lib.llama_model_load_from_file(str(path).encode(), params)
    if any("unknown model architecture" in line for line in lines):
        unknown.append(name)
print(json.dumps(unknown))
"""


def library(name: str) -> Path:
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "lib"
    return next(path for path in sorted(folder.glob(f"*{name}.*")) if path.is_file())


def test_tensor_types_are_those_of_the_library() -> None:
    ggml = ctypes.CDLL(str(library("ggml-base")))
    ggml.ggml_type_name.restype = ctypes.c_char_p
    ggml.ggml_type_size.restype = ctypes.c_size_t
    ggml.ggml_blck_size.restype = ctypes.c_int64
    for number, kind in TENSOR_TYPES.items():
        assert ggml.ggml_type_name(number).decode().upper() == kind.name
        assert (ggml.ggml_blck_size(number), ggml.ggml_type_size(number)) == (
            kind.block,
            kind.n_bytes,
        ), kind.name
    for number in REMOVED_TENSOR_TYPES:
        assert ggml.ggml_blck_size(number) == 0
    numbers = sorted(TENSOR_TYPES.keys() | REMOVED_TENSOR_TYPES)
    assert numbers == list(range(len(numbers)))


def test_every_architecture_is_known_to_the_library(tmp_path: Path) -> None:
    names = sorted({*CAUSAL, *NOT_CAUSAL, "llama9"})
    for name in names:
        writer = gguf.GGUFWriter(tmp_path / f"{name}.gguf", name)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
    asked = subprocess.run(
        [sys.executable, "-c", LOAD_EACH, str(tmp_path), *names], capture_output=True, check=True
    )
    assert json.loads(asked.stdout) == ["llama9"]


def test_architectures_are_more_than_the_gguf_library_has() -> None:
    assert set(MODEL_ARCH_NAMES.values()) <= CAUSAL | set(NOT_CAUSAL)
