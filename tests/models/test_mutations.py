"""Files spoilt in one place are refused in words, quickly and in little memory; none of those that
pass ends the engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import AdapterUse, Request, Sampling, file_version
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.gguf.sound import NEVER_WEIGHTS

from ..conftest import listen
from .engine import architectures
from .mutations import fields, flipped, other_numbers, put, retyped, spoilt

WriteFile = Callable[..., Path]
Mutations = Iterable[tuple[str, bytes]]

SECONDS, BYTES = 1.0, 200_000_000

CHECK_ALL = """
import json, resource, sys, time
from pathlib import Path
import numpy
from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
folder, base, room = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
model = check_model(Path(base)) if base else None
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + room, taken + room))
answers = {}
for path in folder.iterdir():
    start = time.process_time()
    try:
        if model:
            check_fit(check_adapter(path), model)
        else:
            check_model(path, values=True)
        word = None
    except ModelError as error:
        word = str(error)
    answers[path.name] = word, time.process_time() - start
print(json.dumps(answers))
"""


def check_all(
    mutations: Mutations, folder: Path, base: Path | None
) -> tuple[dict[str, tuple[str | None, float]], dict[str, Path]]:
    """What the checks say of each file, after how many seconds of the processor, in little memory."""
    folder.mkdir()
    names: dict[str, str] = {}
    for number, (name, whole) in enumerate(mutations):
        names[f"{number}.gguf"] = name
        (folder / f"{number}.gguf").write_bytes(whole)
    done = subprocess.run(
        [sys.executable, "-c", CHECK_ALL, str(folder), str(base or ""), str(BYTES)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answers = {names[file]: answer for file, answer in json.loads(done.stdout).items()}
    return answers, {name: folder / file for file, name in names.items()}


def other_adapters(write: WriteFile) -> Iterator[tuple[str, bytes]]:
    """Adapters that are sound GGUF and no sound adapters of the small llama."""
    half = "blk.0.attn_q.weight.lora_"
    for missing in ("a", "b"):
        yield f"no lora_{missing}", write(without=[half + missing]).read_bytes()
    for fill in (float("nan"), float("inf"), float("-inf")):
        for dtype in (np.float32, np.float16):
            yield f"{fill} in {dtype.__name__}", write(fill=fill, dtype=dtype).read_bytes()
    for kind in ("uint32", "float64", "string", "bool", "int8", "uint64"):

        def edit(writer: gguf.GGUFWriter, kind: str = kind) -> None:
            value = "16" if kind == "string" else True if kind == "bool" else 16
            getattr(writer, f"add_{kind}")("adapter.lora.alpha", value)

        yield f"alpha as {kind}", write(alpha=None, edit=edit).read_bytes()
    for a, b in [
        ((4, 32), (64, 4)),
        ((4, 64), (32, 4)),
        ((4, 64), (64, 8)),
        ((64, 4), (4, 64)),
        ((1, 4, 64), (1, 64, 4)),
        ((2, 4, 64), (2, 64, 4)),
        ((64,), (64,)),
        ((4, 64), (64,)),
    ]:
        pairs = {"blk.0.attn_q.weight": (a, b)}
        yield f"shapes {a} and {b}", write(pairs=pairs).read_bytes()
    for weight in ("blk.2.attn_q.weight", "blk.0.attn_qkv.weight", "x", "blk.0.attn_q"):
        yield f"a pair for {weight}", write(pairs={weight: ((4, 64), (64, 4))}).read_bytes()
    pair = {"blk.0.attn_norm.weight": ((4, 64), (1, 4))}
    yield "a pair for a norm", write(pairs=pair).read_bytes()
    for kind in ("control_vector", "ia3", ""):
        yield f"of the type {kind}", write(adapter_type=kind).read_bytes()
    yield "no tensors", write(pairs={}).read_bytes()


def other_models(write: WriteFile) -> Iterator[tuple[str, bytes]]:
    """Models that are sound GGUF and no sound models."""

    def with_key(key: str, value: float, add: str) -> bytes:
        def edit(writer: gguf.GGUFWriter) -> None:
            writer.kv_data[0].pop(key, None)
            getattr(writer, f"add_{add}")(key, value)

        return write(edit=edit).read_bytes()

    for key, value, add in [
        ("llama.attention.layer_norm_rms_epsilon", float("nan"), "float32"),
        ("llama.attention.layer_norm_rms_epsilon", -1.0, "float32"),
        ("llama.context_length", 1, "uint32"),
        ("llama.context_length", 0xFFFF_FFFF, "uint32"),
        ("llama.block_count", 513, "uint32"),
        ("llama.block_count", 0, "uint32"),
        ("llama.expert_count", 4, "uint32"),
        ("llama.expert_count", 100_000, "uint32"),
        ("llama.expert_used_count", 2, "uint32"),
        ("llama.rope.dimension_count", 7, "uint32"),
        ("llama.rope.dimension_count", 0, "uint32"),
        ("llama.rope.dimension_count", 64, "uint32"),
        ("llama.attention.head_count", 0, "uint32"),
        ("llama.attention.head_count_kv", 3, "uint32"),
        ("llama.attention.value_length", 8, "uint32"),
        ("llama.nextn_predict_layers", 3, "uint32"),
        ("llama.embedding_length", "64", "string"),
        ("llama.rope.scaling.type", "stretched", "string"),
        ("llama.attention.causal", False, "bool"),
    ]:
        yield f"{key} = {value}", with_key(key, value, add)
    yield "no tensors", write(tensors=False).read_bytes()
    yield "no tokens", write(tokens=False).read_bytes()
    whole = write(quantized=False).read_bytes()
    at = whole.rindex(b"word39")
    yield "a token twice", whole[:at] + b"word38" + whole[at + 6 :]
    yield "a token twice for C", whole[:at] + b"word3\0" + whole[at + 6 :]
    for pattern in (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff"):
        yield f"{pattern!r} in float32", whole[:-64] + pattern + whole[-60:]
    whole = write(quantized=True).read_bytes()
    yield "NaN in a scale of Q8_0", put(whole, fields(whole).data, "<H", 0x7E00)


async def engine_survives(
    engine: Engine, base: Path | None, files: Iterable[tuple[str, Path]]
) -> int:
    """Load and run each; how many could be. The engine's process must be the same throughout."""
    await engine.start()
    pid, ran = engine.pid, 0
    for name, path in files:
        uses = (AdapterUse(str(path), 1.0, file_version(path)),) if base else ()
        try:
            async with asyncio.timeout(30):
                model = await engine.load(base or path)
                await engine.tokenize(model, "Hello, é\n <s>", add_special=True)
                sampling = Sampling(max_tokens=3)
                ask = Request(
                    engine.new_id(), tokens=[1, 5, 6, 70], adapters=uses, sampling=sampling
                )
                (heard,) = await listen(engine, model, [ask])
            ran += heard.failure is None
            if not base:
                await engine.unload(path)
        except ModelError as refusal:
            assert "\n" not in str(refusal)
        assert engine.pid == pid, name
    return ran


@pytest.fixture
def small(write_model: WriteFile) -> Path:
    return write_model("small.gguf")


def test_spoilt_adapters_are_refused(small: Path, write_adapter: WriteFile, tmp_path: Path) -> None:
    mutations = [*spoilt(write_adapter().read_bytes()), *other_adapters(write_adapter)]
    all_refused(mutations, tmp_path / "spoilt", small)


def test_spoilt_models_are_refused(write_model: WriteFile, tmp_path: Path) -> None:
    mutations = [*spoilt(write_model().read_bytes()), *other_models(write_model)]
    all_refused(mutations, tmp_path / "spoilt", None)


def all_refused(mutations: list[tuple[str, bytes]], folder: Path, base: Path | None) -> None:
    answers, _ = check_all(mutations, folder, base)
    assert len(answers) == len(mutations) > 140
    assert not [name for name, (word, _) in answers.items() if word is None]
    assert not [word for word, _ in answers.values() if word and "\n" in word]
    assert max(seconds for _, seconds in answers.values()) < SECONDS


async def test_no_adapter_ends_the_engine(
    engine: Engine, small: Path, write_adapter: WriteFile, tmp_path: Path
) -> None:
    whole = write_adapter().read_bytes()
    mutations = [*flipped(whole, 150), *retyped(whole), *other_numbers(whole)]
    answers, files = check_all(mutations, tmp_path / "mutated", small)
    passed = [(name, files[name]) for name, (word, _) in answers.items() if word is None]
    assert max(seconds for _, seconds in answers.values()) < SECONDS
    assert 10 < len(passed) < len(answers) / 2
    assert await engine_survives(engine, small, passed) > 10


@pytest.mark.parametrize("kind", ["llama", *architectures.ARCHITECTURES])
async def test_no_model_ends_the_engine(
    engine: Engine, kind: str, write_model: WriteFile, tmp_path: Path
) -> None:
    if kind == "llama":
        source = write_model(quantized=False)
    else:
        source = tmp_path / "source.gguf"
        architectures.write(kind, source)
    whole = source.read_bytes()
    mutations = [*flipped(whole, 30), *other_numbers(whole)]
    if kind == "llama":
        mutations += [*flipped(whole, 60, seed=2), *retyped(whole)]
    answers, files = check_all(mutations, tmp_path / "mutated", None)
    passed = [(name, files[name]) for name, (word, _) in answers.items() if word is None]
    assert max(seconds for _, seconds in answers.values()) < SECONDS
    assert await engine_survives(engine, None, passed) > 10


@pytest.mark.parametrize("name", ["attn_norm", "attn_q", "token_embd"])
async def test_weights_of_a_type_llama_cpp_cannot_use(
    engine: Engine, name: str, tmp_path: Path
) -> None:
    """Refused are those that would end the engine, and no others."""
    passed: list[tuple[str, Path]] = []
    refused: set[str] = set()
    for kind in GGMLQuantizationType:
        path = tmp_path / f"{kind.name}.gguf"
        _write_model_with(path, name, kind)
        try:
            check_model(path)
            passed.append((kind.name, path))
        except ModelError as refusal:
            assert name in str(refusal)
            refused.add(kind.name)
    vectors = {kind.name for kind in GGMLQuantizationType} - {"F32"}
    assert refused == (vectors if name == "attn_norm" else NEVER_WEIGHTS)
    assert await engine_survives(engine, None, passed) == len(passed) > 0


def _write_model_with(path: Path, changed: str, kind: GGMLQuantizationType) -> None:
    """A llama of one layer; the weights of `changed` are zeros of a type."""
    width, vocabulary = 256, 300
    writer = gguf.GGUFWriter(path, "llama")
    for name, value in {
        "context_length": 64,
        "embedding_length": width,
        "block_count": 1,
        "feed_forward_length": width,
        "attention.head_count": 4,
    }.items():
        writer.add_uint32(f"llama.{name}", value)
    writer.add_layer_norm_rms_eps(1e-5)
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    words += [f"word{i}" for i in range(vocabulary - len(words))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words)
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * (vocabulary - 259))
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd": (vocabulary, width),
        "output_norm": (width,),
    }
    for name in ("attn_norm", "ffn_norm"):
        shapes[f"blk.0.{name}"] = (width,)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        shapes[f"blk.0.{name}"] = (width, width)
    for name, shape in shapes.items():
        type_ = kind if name.endswith(changed) else GGMLQuantizationType.F32
        block, n_bytes = GGML_QUANT_SIZES[type_]
        n_bytes = 36 if type_ is GGMLQuantizationType.Q8_1 else n_bytes  # gguf says 40
        raw = np.zeros((*shape[:-1], shape[-1] // block * n_bytes), np.uint8)
        writer.add_tensor_info(f"{name}.weight", shape, np.dtype(np.float32), raw.nbytes, type_)
        writer.tensors[0][f"{name}.weight"].tensor = raw
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_checks_of_sound_files_pass(small: Path, write_adapter: WriteFile) -> None:
    check_model(small, values=True)
    check_adapter(write_adapter())
