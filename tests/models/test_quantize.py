"""Quantizing with llama.cpp's recipes: what is refused, what is written, and being stopped."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.gguf.types import FILE_TYPES
from llamadiff.models.quantize import NEED_IMPORTANCE, RECIPES, quantize
from llamadiff.models.writing.tasks import Progress

from ..conftest import listen
from .engine.asking import ids, request

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
WriteFile = Callable[..., Path]


def quantized(
    model: Path, out: Path, kind: str, *, requantize: bool = False
) -> tuple[Path, list[Progress]]:
    seen: list[Progress] = []
    facts = check_model(model)
    work = quantize(
        facts, out, kind, requantize=requantize, log=out.parent / "log", on_progress=seen.append
    )
    return asyncio.run(work).path, seen


@pytest.mark.parametrize("kind", ["Q4_K_M", "q8_0", "BF16"])
def test_a_file_says_what_it_was_quantized_to(
    tmp_path: Path, base: Path, random_model: Callable[[str, str], Path], kind: str
) -> None:
    model = random_model("4M", "F32")
    path, seen = quantized(model, tmp_path / "out.gguf", kind)
    facts = check_model(path)
    assert facts.quantization == kind.upper()
    assert facts.bytes < 0.6 * model.stat().st_size
    assert facts.shapes == check_model(model).shapes
    assert {it.stage for it in seen} == {"quantizing"}
    steps = [it.done for it in seen]
    assert steps == sorted(steps) and steps[-1] == seen[-1].total == len(facts.shapes)
    assert sorted(it.name for it in tmp_path.iterdir()) == ["log", "out.gguf"]


async def test_the_result_runs(engine: Engine, tmp_path: Path, base: Path) -> None:
    made = await quantize(
        check_model(base), tmp_path / "q4.gguf", "Q4_K_M", requantize=True, log=tmp_path / "log"
    )
    assert made.bytes == made.path.stat().st_size < made.bytes_before == base.stat().st_size
    model = await engine.load(made.path)
    (heard,) = await listen(engine, model, [request(engine, await ids(engine, model), n=24)])
    assert "wolves" in heard.text.lower()


def test_every_recipe_offered_is_one_llama_cpp_takes_and_no_other(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = quantized(base, tmp_path / "f32.gguf", "F32", requantize=True)
    for kind in RECIPES:
        path, _ = quantized(model, tmp_path / "out.gguf", kind)
        assert check_model(path).quantization == kind
    numbers = {name: number for number, name in FILE_TYPES.items()}
    for kind in NEED_IMPORTANCE:
        monkeypatch.setitem(RECIPES, kind, numbers[kind])
        with pytest.raises(ModelError, match=r"cannot quantize .* imatrix"):
            quantized(model, tmp_path / "out.gguf", kind)


def test_a_quantized_model_is_quantized_again_only_when_asked_to(
    tmp_path: Path, base: Path
) -> None:
    out = tmp_path / "out.gguf"
    with pytest.raises(ModelError, match=r"quantized already \(Q8_0\).*adds its errors"):
        quantized(base, out, "Q4_0")
    assert list(tmp_path.iterdir()) == []
    quantized(base, out, "Q4_0", requantize=True)
    assert check_model(out).quantization == "Q4_0"


def test_unknown_types_are_refused_with_the_list(tmp_path: Path, base: Path) -> None:
    for kind, says in (
        ("Q4_K", "did you mean Q4_K_"),
        ("best", "choose one of F32"),
        *((kind, "importance matrix") for kind in NEED_IMPORTANCE),
    ):
        with pytest.raises(ModelError, match=says):
            quantized(base, tmp_path / "out.gguf", kind)
    with pytest.raises(ModelError) as caught:
        quantized(base, tmp_path / "out.gguf", "Q4")
    assert all(kind in str(caught.value) for kind in RECIPES)


def test_a_model_that_llama_cpp_refuses_is_one_sentence(
    tmp_path: Path, write_model: WriteFile
) -> None:
    model = write_model(
        quantized=False, edit=lambda w: w.add_string("llama.attention.causal", "odd")
    )
    out = tmp_path / "out.gguf"
    with pytest.raises(Exception, match=r"llama.cpp cannot quantize|SIGABRT") as caught:
        quantized(model, out, "Q8_0")
    assert "\n" not in str(caught.value) and not out.exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, base: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        quantized(base, tmp_path / "no" / "out.gguf", "Q8_0", requantize=True)
    with pytest.raises(ModelError, match="another name"):
        quantized(base, base, "Q8_0", requantize=True)


def test_an_interrupt_ends_it_at_once_and_leaves_nothing(
    tmp_path: Path, random_model: Callable[[str, str], Path]
) -> None:
    model = random_model("143M", "F32")
    folder = tmp_path / "out"
    folder.mkdir()
    # IQ4_NL searches for the best scales: half a minute for this model
    process = subprocess.Popen(
        [LLAMADIFF, "quantize", str(model), "IQ4_NL", "-o", str(folder / "out.gguf")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not any(path.stat().st_size for path in folder.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.01)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert time.monotonic() - started < 5
    assert process.stderr is not None and "Traceback" not in process.stderr.read()
    assert list(folder.iterdir()) == []
