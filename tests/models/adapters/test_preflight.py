"""Which adapters fit which base: the answer is the one llama.cpp gives, said in words."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.catalog import Catalog, default_model
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model

WriteFile = Callable[..., Path]

DIM, FEED_FORWARD, VOCAB = 64, 128, 300

TRY_IN_LLAMA_CPP = """
import ctypes, json, sys
import llama_cpp.llama_cpp as lib
silent = lib.llama_log_callback(lambda level, text, data: None)
lib.llama_log_set(silent, ctypes.c_void_p(0))
model = lib.llama_model_load_from_file(sys.argv[1].encode(), lib.llama_model_default_params())
context = lib.llama_init_from_model(model, lib.llama_context_default_params())
adapter = lib.llama_adapter_lora_init(model, sys.argv[2].encode())
decoded = None
if adapter:
    adapters = (lib.llama_adapter_lora_p_ctypes * 1)(adapter)
    lib.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0))
    tokens = (lib.llama_token * 3)(1, 5, 6)
    decoded = lib.llama_decode(context, lib.llama_batch_get_one(tokens, 3))
print(json.dumps([bool(adapter), decoded]))
"""


def llama_cpp_takes(base: Path, adapter: Path) -> bool:
    """Whether llama.cpp loads the adapter and decodes with it; dying on it counts as no."""
    asked = subprocess.run(
        [sys.executable, "-c", TRY_IN_LLAMA_CPP, str(base), str(adapter)],
        capture_output=True,
        env={"GGML_NO_BACKTRACE": "1"},
    )
    return asked.returncode == 0 and json.loads(asked.stdout) == [True, 0]


FITTING = [
    {"blk.0.attn_q.weight": ((4, DIM), (DIM, 4)), "blk.1.ffn_down.weight": ((8, 128), (DIM, 8))},
    {"blk.1.attn_v.weight": ((1, DIM), (32, 1))},
    {"token_embd.weight": ((VOCAB, 4), (DIM, 4))},
    {"output.weight": ((4, DIM), (VOCAB, 4))},
]

UNFIT = [
    ({"blk.2.attn_q.weight": ((4, DIM), (DIM, 4))}, r"blk\.2\.attn_q\.weight, which base"),
    (
        {"blk.0.attn_q.weight": ((4, 32), (DIM, 4))},
        r"blk\.0\.attn_q\.weight as 32 × 64, which in base is 64 × 64",
    ),
    ({"blk.0.attn_q.weight": ((4, DIM), (96, 4))}, "as 64 × 96, which in base is 64 × 64"),
    ({"blk.0.attn_q.weight": ((4, DIM), (DIM, 8))}, "64 × 4 and 8 × 64, which do not meet"),
    ({"blk.0.attn_q.weight": ((DIM, 4), (DIM, 4))}, "do not meet"),
    ({"blk.0.attn_q.weight": ((DIM, 4), (4, DIM))}, "as 4 × 4, which in base is 64 × 64"),
    ({"token_embd.weight": ((VOCAB, 4), (DIM, 8))}, "do not meet"),
    ({"token_embd.weight": ((4, DIM), (VOCAB, 4))}, "do not meet"),
]


@pytest.mark.parametrize("pairs", FITTING)
def test_fitting_adapters(write_model: WriteFile, write_adapter: WriteFile, pairs: dict) -> None:
    base, adapter = write_model(), write_adapter(pairs=pairs)
    check_fit(check_adapter(adapter), check_model(base))
    assert llama_cpp_takes(base, adapter)


@pytest.mark.parametrize(("pairs", "word"), UNFIT)
def test_unfit_adapters(
    write_model: WriteFile, write_adapter: WriteFile, pairs: dict, word: str
) -> None:
    base, adapter = write_model(), write_adapter(pairs=pairs)
    with pytest.raises(ModelError, match=word) as refusal:
        check_fit(check_adapter(adapter), check_model(base))
    assert "tuned" in str(refusal.value)
    assert not llama_cpp_takes(base, adapter)


def test_another_architecture(write_model: WriteFile, write_adapter: WriteFile) -> None:
    base, adapter = write_model(), write_adapter(architecture="qwen2")
    with pytest.raises(ModelError, match="is an adapter for qwen2 models and base is llama"):
        check_fit(check_adapter(adapter), check_model(base))
    assert not llama_cpp_takes(base, adapter)


@pytest.mark.parametrize(
    ("weight", "shapes", "word"),
    [
        ("token_embd.weight", ((VOCAB, 4), (DIM, 4)), "is also the output layer"),
        ("output.weight", ((4, DIM), (VOCAB, 4)), "does not have"),
    ],
)
def test_tied_embeddings(
    write_model: WriteFile, write_adapter: WriteFile, weight: str, shapes: tuple, word: str
) -> None:
    base, adapter = write_model(tied=True), write_adapter(pairs={weight: shapes})
    with pytest.raises(ModelError, match=word):
        check_fit(check_adapter(adapter), check_model(base))
    assert not llama_cpp_takes(base, adapter)


def test_bundled_adapters_fit_the_bundled_model() -> None:
    base = default_model().facts
    entries = Catalog().adapters()
    assert entries
    for entry in entries:
        check_fit(check_adapter(Path(entry.path)), base)


ONE, OTHER = "1" * 64, "2" * 64


def test_another_base_file_is_odd_and_no_obstacle(
    write_model: WriteFile, write_adapter: WriteFile
) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_string("llamadiff.base.sha256", ONE)
        writer.add_string("llamadiff.base.file", "first-Q8_0.gguf")

    base, adapter = check_model(write_model()), check_adapter(write_adapter(edit=edit))
    assert check_fit(adapter, base) == check_fit(adapter, base, base_sha256=ONE) == ()
    (odd,) = check_fit(adapter, base, base_sha256=OTHER)
    assert "was converted for first-Q8_0.gguf" in odd and "111…" in odd and "222…" in odd
    assert adapter.provenance["llamadiff.base.sha256"] == ONE
    assert check_fit(check_adapter(write_adapter()), base, base_sha256=OTHER) == ()


def test_what_llama_cpp_passes_over_is_odd(
    write_model: WriteFile, write_adapter: WriteFile
) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        key, kind = "adapter.alora.invocation_tokens", gguf.GGUFValueType
        writer.add_key_value(key, [1, 2], kind.ARRAY, sub_type=kind.UINT32)
        writer.add_tensor("blk.0.attn_norm.weight", np.ones(DIM, np.float32))

    base, adapter = write_model(), write_adapter(edit=edit)
    activated, norms = check_fit(check_adapter(adapter), check_model(base))
    assert "activated LoRA" in activated and "blk.0.attn_norm.weight" in norms
    assert llama_cpp_takes(base, adapter)
