"""The memory estimate agrees with what llama.cpp reports, and a refusal says what would fit."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.catalog import default_model
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.memory import _group_allows, available_memory, check_memory, estimate

WriteFile = Callable[..., Path]
MIB = 1 << 20

REPORT = """
import ctypes, sys
import llama_cpp.llama_cpp as lib
keep = lib.llama_log_callback(lambda level, text, data: print(text.decode(), end=""))
lib.llama_log_set(keep, ctypes.c_void_p(0))
path, n_ctx, n_seq, flash, kv_type = sys.argv[1], *map(int, sys.argv[2:])
model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
params = lib.llama_context_default_params()
params.n_ctx, params.n_seq_max = n_ctx * n_seq, n_seq
params.n_batch = params.n_ubatch = 256
params.n_outputs_max = 128
params.flash_attn_type, params.type_k, params.type_v = flash, kv_type, kv_type
lib.llama_init_from_model(model, params)
"""


def reported(
    path: Path, n_ctx: int, n_seq: int, *, flash: bool = True, kv_type: int = 1
) -> dict[str, float]:
    """Bytes of the buffers that llama.cpp logs, by kind."""
    numbers = [str(number) for number in (n_ctx, n_seq, int(flash), kv_type)]
    asked = subprocess.run(
        [sys.executable, "-c", REPORT, str(path), *numbers],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"(KV|compute|CPU_REPACK model) buffer size += +([\d.]+) MiB", asked.stdout)
    sizes: dict[str, float] = {}
    for kind, size in found:
        sizes[kind] = sizes.get(kind, 0) + float(size) * MIB
    return sizes


@pytest.mark.parametrize(
    ("n_ctx", "n_seq", "flash"),
    [(1024, 1, True), (1000, 4, True), (16384, 2, True), (4096, 2, False)],
)
def test_estimate_is_what_llama_cpp_reports(n_ctx: int, n_seq: int, flash: bool) -> None:
    facts = default_model().facts
    ours = estimate(facts, n_ctx=n_ctx, n_seq=n_seq, flash_attn=flash)
    theirs = reported(facts.path, n_ctx, n_seq, flash=flash)
    assert ours.kv_cache == pytest.approx(theirs["KV"], abs=0.01 * MIB)
    assert ours.compute == pytest.approx(theirs["compute"], rel=0.15)


@pytest.mark.parametrize(("kv_type", "number"), [("f32", 0), ("q8_0", 8)])
def test_kv_types(kv_type: str, number: int) -> None:
    facts = default_model().facts
    ours = estimate(facts, n_ctx=2048, n_seq=1, kv_type=kv_type)
    theirs = reported(facts.path, 2048, 1, kv_type=number)
    assert ours.kv_cache == pytest.approx(theirs["KV"], abs=0.01 * MIB)


def test_sums_and_rounding(write_model: WriteFile) -> None:
    facts = check_model(write_model())
    ours = estimate(facts, n_ctx=257, n_seq=3)
    assert ours.weights == facts.bytes
    assert ours.kv_cache == facts.kv_per_token * 512 * 3 * 2
    assert ours.total == ours.weights + ours.repacked + ours.kv_cache + ours.compute
    assert (ours.repacked, ours.least) == (0, ours.total)


def test_an_unknown_kv_type() -> None:
    with pytest.raises(ModelError, match="f17 is no KV cache type"):
        estimate(default_model().facts, n_ctx=256, n_seq=1, kv_type="f17")


def test_available_memory_is_that_of_this_machine() -> None:
    assert 10 * MIB < available_memory() < 1 << 50


def test_the_limit_of_a_control_group_counts(tmp_path: Path) -> None:
    assert _group_allows(tmp_path) == float("inf")
    (tmp_path / "memory.max").write_text(f"{100 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{70 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon {40 * MIB}\ninactive_file {20 * MIB}\n")
    assert _group_allows(tmp_path) == 50 * MIB
    (tmp_path / "memory.max").write_text("max\n")
    assert _group_allows(tmp_path) == float("inf")


def test_what_fits_is_returned() -> None:
    facts = default_model().facts
    needed = estimate(facts, n_ctx=1024, n_seq=2)
    assert check_memory(facts, n_ctx=1024, n_seq=2, available=needed.least) == needed
    assert check_memory(facts, n_ctx=1024, n_seq=2) == needed


def test_the_context_that_would_fit_does() -> None:
    facts = default_model().facts
    with pytest.raises(ModelError, match="ask for a smaller context") as refusal:
        check_memory(facts, n_ctx=1_000_000, n_seq=4, available=100 * MIB)
    assert "104.9 MB are free" in str(refusal.value)
    found = re.search(r"at most (\d+)", str(refusal.value))
    assert found is not None
    largest = int(found[1])
    check_memory(facts, n_ctx=largest, n_seq=4, available=100 * MIB)
    with pytest.raises(ModelError):
        check_memory(facts, n_ctx=largest + 256, n_seq=4, available=100 * MIB)


def test_weights_that_do_not_fit() -> None:
    facts = default_model().facts
    with pytest.raises(ModelError, match="use a smaller model"):
        check_memory(facts, n_ctx=1024, n_seq=1, available=facts.bytes)
