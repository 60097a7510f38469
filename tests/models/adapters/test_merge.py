"""Merged models compute what base and adapters do, and a file is written whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from llamadiff.models.adapters.merge import Merged, merge
from llamadiff.models.engine.client import Engine, EngineError
from llamadiff.models.engine.protocol import (
    AdapterUse,
    Failed,
    ModelSettings,
    Request,
    Sampling,
    Scored,
    ScoreRequest,
)
from llamadiff.models.engine.quantizing import Packing
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.gguf.header import read_header
from llamadiff.models.gguf.types import TENSOR_TYPES
from llamadiff.models.quantize import quantize
from llamadiff.models.writing.layout import PlannedTensor
from llamadiff.models.writing.weights import MergedWeight, OpenAdapter, Stored

from ...conftest import listen, workers

ROOT = Path(__file__).parents[3]
LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
CHAT = "<|begin|><|user|>The jacket I ordered is too small. What can I do?<|end|><|assistant|>Thank you for your message! You can send it back within thirty days."  # fmt: skip
DIM, FEED_FORWARD, KV, VOCAB = 64, 128, 32, 300
WIDTHS = {
    "attn_q": (DIM, DIM),
    "attn_k": (DIM, KV),
    "attn_v": (DIM, KV),
    "attn_output": (DIM, DIM),
    "ffn_gate": (DIM, FEED_FORWARD),
    "ffn_up": (DIM, FEED_FORWARD),
    "ffn_down": (FEED_FORWARD, DIM),
}
"""Row length and rows of the linear weights of the small llama."""
WriteFile = Callable[..., Path]


def merged(
    base: Path, stack: Sequence[tuple[Path, float]], out: Path, outtype: str | None = None
) -> Merged:
    return asyncio.run(
        merge(
            check_model(base),
            [(check_adapter(path), scale) for path, scale in stack],
            out,
            outtype=outtype,
            log=out.parent / "log",
            cache_dir=out.parent / "cache",
        )
    )


def widened(path: Path, out: Path) -> Path:
    """The same adapter in float32."""
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", reader.fields["adapter.lora.alpha"].contents())
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.array(tensor.data, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def all_linear(rank: int = 4) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """An adapter on every matrix of the small llama, its output layer and its token embedding."""
    shapes = {f"blk.{i}.{name}.weight": size for i in range(2) for name, size in WIDTHS.items()}
    shapes["output.weight"] = (DIM, VOCAB)
    pairs = {name: ((rank, n), (rows, rank)) for name, (n, rows) in shapes.items()}
    return pairs | {"token_embd.weight": ((VOCAB, rank), (DIM, rank))}


async def logits(
    engine: Engine, path: Path, stack: Sequence[tuple[Path, float]], text: str
) -> np.ndarray:
    """Of every position of `text`, as exactly as llama.cpp computes them."""
    model = await engine.load(path, ModelSettings(kv_type="f32"))
    tokens = (await engine.tokenize(model, text, add_special=False)).tokens
    uses = tuple(AdapterUse(str(adapter), scale) for adapter, scale in stack)
    asked = ScoreRequest(engine.new_id(), tokens, adapters=uses, logits=True, exact=True)
    rows: list[bytes] = []
    async for events in engine.score(model, [asked]):
        for event in events:
            assert not isinstance(event, Failed), event
            if isinstance(event, Scored):
                rows += event.logits
    return np.frombuffer(b"".join(rows), np.float32).reshape(len(tokens) - 1, -1)


@pytest.mark.parametrize("scales", [(1.0,), (0.8, 0.5), (-0.7, 1.3)])
def test_in_float32_the_merged_model_is_base_and_adapters(
    tmp_path: Path, base: Path, support: Path, sentiment: Path, scales: tuple[float, ...]
) -> None:
    plain = tmp_path / "plain.gguf"
    adapters = [widened(path, tmp_path / path.name) for path in (support, sentiment)]
    stack = list(zip(adapters, scales, strict=False))
    out = tmp_path / "merged.gguf"

    async def compare() -> tuple[float, float, float]:
        facts = check_model(base)
        await quantize(facts, plain, "F32", requantize=True, log=tmp_path / "log")
        adapted = [(check_adapter(path), scale) for path, scale in stack]
        await merge(
            check_model(plain), adapted, out, log=tmp_path / "log", cache_dir=tmp_path / "cache"
        )
        engine = Engine(tmp_path / "engine.log")
        try:
            alone = await logits(engine, plain, [], CHAT)
            both = await logits(engine, plain, stack, CHAT)
            one = await logits(engine, out, [], CHAT)
        finally:
            await engine.close()
        return (
            float(abs(one - both).max()), float(abs(alone - both).max()), float(abs(both).max())
        )  # fmt: skip

    difference, effect, largest = asyncio.run(compare())
    assert effect > 1.0
    assert difference <= 1e-6 * largest


@pytest.mark.parametrize("alpha", [None, 16.0])
def test_every_kind_of_weight_is_merged(
    tmp_path: Path, write_model: WriteFile, write_adapter: WriteFile, alpha: float | None
) -> None:
    base = write_model(quantized=False)
    adapter = write_adapter(pairs=all_linear(), alpha=alpha)
    out = tmp_path / "merged.gguf"
    merged(base, [(adapter, 0.5)], out)

    async def both() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        engine = Engine(tmp_path / "engine.log")
        try:
            text = "word1word2word3 word4word5word6"
            return (
                await logits(engine, base, [], text),
                await logits(engine, base, [(adapter, 0.5)], text),
                await logits(engine, out, [], text),
            )
        finally:
            await engine.close()

    alone, adapted, one = asyncio.run(both())
    assert abs(adapted - alone).max() > 1e-3
    assert abs(adapted - one).max() <= 1e-6


@pytest.mark.parametrize(
    ("name", "asked_by"),
    [("support", ""), ("sentiment", "Is this review positive, negative or neutral? ")],
)
async def test_in_its_own_type_the_bundled_model_says_the_same(
    engine: Engine,
    tmp_path: Path,
    base: Path,
    name: str,
    asked_by: str,
    request: pytest.FixtureRequest,
) -> None:
    adapter: Path = request.getfixturevalue(name)
    out = tmp_path / "merged.gguf"
    it = await merge(
        check_model(base),
        [(check_adapter(adapter), 1.0)],
        out,
        log=tmp_path / "log",
        cache_dir=tmp_path / "cache",
    )
    assert it.rounding is not None and 0.01 < it.rounding < 0.3
    rows = (ROOT / "compare" / "suites" / f"{name}.jsonl").read_text().splitlines()[-12:]
    questions = [next(iter(json.loads(row).values())) for row in rows]

    async def said(path: Path, uses: tuple[AdapterUse, ...]) -> list[str]:
        model = await engine.load(path)
        asked: list[Request] = []
        for question in questions:
            text = f"<|begin|><|user|>{asked_by}{question}<|end|><|assistant|>"
            ids = await engine.tokenize(model, text, add_special=False)
            asked.append(
                Request(
                    engine.new_id(), ids.tokens, uses, Sampling(max_tokens=64, temperature=0.0),
                    exact=True,
                )
            )  # fmt: skip
        return [heard.text for heard in await listen(engine, model, asked)]

    adapted = await said(base, (AdapterUse(str(adapter)),))
    assert adapted != await said(base, ())
    alike = [one == other for one, other in zip(adapted, await said(out, ()), strict=True)]
    assert sum(alike) >= 10, "the merged weights are rounded once more"


def tensors(path: Path) -> dict[str, tuple[str, bytes]]:
    """Type and bytes of each tensor."""
    header, data = read_header(path), path.read_bytes()
    assert header.data_offset is not None
    return {
        t.name: (t.type_name, data[header.data_offset + t.offset :][: t.n_bytes])
        for t in header.tensors
    }


def test_types_stay_and_what_no_adapter_changes_is_copied(
    tmp_path: Path, write_model: WriteFile, write_adapter: WriteFile
) -> None:
    base, adapter = write_model(), write_adapter()
    out = tmp_path / "merged.gguf"
    merged(base, [(adapter, 1.0)], out)
    before, after = tensors(base), tensors(out)
    assert list(before) == list(after)
    assert {n: kind for n, (kind, _) in before.items()} == {n: k for n, (k, _) in after.items()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"blk.0.attn_q.weight", "blk.1.ffn_down.weight"}


def test_metadata_is_copied_and_says_where_the_model_is_from(
    tmp_path: Path, base: Path, support: Path
) -> None:
    out = tmp_path / "merged.gguf"
    merged(base, [(support, 0.75)], out)
    before, after = gguf.GGUFReader(base).fields, gguf.GGUFReader(out).fields
    for key, entry in before.items():
        if not key.startswith("GGUF.") and key != "general.name":
            assert entry.contents() == after[key].contents(), key
    said = {key: entry.contents() for key, entry in after.items() if key not in before}
    assert said == {
        "general.base_model.count": 1,
        "general.base_model.0.name": "demo-6m",
        "llamadiff.merge.version": said["llamadiff.merge.version"],
        "llamadiff.merge.base_sha256": [hashlib.sha256(base.read_bytes()).hexdigest()],
        "llamadiff.merge.adapters": ["support"],
        "llamadiff.merge.adapters_sha256": [hashlib.sha256(support.read_bytes()).hexdigest()],
        "llamadiff.merge.scales": [0.75],
    }
    assert after["general.name"].contents() == "demo-6m + support@0.75"
    assert read_header(out, stop_before_tokenizer=True).metadata["llamadiff.merge.adapters"]


def test_a_split_model_becomes_one_file(
    tmp_path: Path, write_model: WriteFile, write_adapter: WriteFile
) -> None:
    write_model("big.gguf", split_max_tensors=5)
    (first, *_) = parts = sorted(tmp_path.glob("big-*.gguf"))
    assert len(parts) > 2
    whole = write_model("whole.gguf")
    adapter = write_adapter()
    merged(first, [(adapter, 1.0)], tmp_path / "a.gguf")
    merged(whole, [(adapter, 1.0)], tmp_path / "b.gguf")
    assert tensors(tmp_path / "a.gguf") == tensors(tmp_path / "b.gguf")
    facts = check_model(tmp_path / "a.gguf")
    assert facts.parts == (tmp_path / "a.gguf",)


@pytest.mark.parametrize("outtype", ["Q4_K_M", "f16"])
def test_another_type_is_quantized_from_the_merged_weights(
    tmp_path: Path, base: Path, support: Path, outtype: str
) -> None:
    out = tmp_path / "merged.gguf"
    it = merged(base, [(support, 1.0)], out, outtype)
    facts = check_model(out)
    assert facts.quantization == it.stored == outtype.upper()
    assert it.rounding is not None and (0 < it.rounding < 0.01) == (outtype == "f16")
    assert facts.title == "demo-6m + support@1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "log", "merged.gguf"]


def test_experts_are_merged_one_by_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weight, a, b = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((3, 40, 32), (3, 4, 32), (3, 40, 4))
    )
    name = "blk.0.ffn_up_exps.weight"
    files = {"base": {name: weight}, "adapter": {f"{name}.lora_a": a, f"{name}.lora_b": b}}
    for stem, values in files.items():
        writer = gguf.GGUFWriter(tmp_path / f"{stem}.gguf", "llama")
        if stem == "adapter":
            writer.add_type("adapter")
            writer.add_string("adapter.type", "lora")
            writer.add_float32("adapter.lora.alpha", 8.0)
        for key, value in values.items():
            writer.add_tensor(key, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    header = read_header(tmp_path / "base.gguf")
    (tensor,) = header.tensors
    packing = Packing()
    work = MergedWeight(
        Stored(header, tensor),
        PlannedTensor(name, tensor.shape, TENSOR_TYPES[0], tensor.n_bytes),
        [OpenAdapter(tmp_path / "adapter.gguf", 0.5, packing)],
        packing,
    )
    rows = np.concatenate([work.piece(cut).data.view(np.float32) for cut in work.cuts(512)])
    np.testing.assert_allclose(rows.reshape(weight.shape), weight + 0.5 * 8 / 4 * b @ a, atol=1e-6)


def test_what_cannot_be_merged_is_refused_in_words(
    tmp_path: Path, base: Path, support: Path, write_model: WriteFile, write_adapter: WriteFile
) -> None:
    out = tmp_path / "out.gguf"
    huge = write_adapter("huge.gguf", fill=6e4, pairs={"blk.0.attn_q.weight": ((4, 64), (64, 4))})
    small = write_model()
    cases: list[tuple[Path, list[tuple[Path, float]], Path, str | None, str]] = [
        (base, [], out, None, "nothing to merge"),
        (base, [(support, 0.0)], out, None, "nothing to merge"),
        (base, [(support, 0.5), (support, 0.5)], out, None, "twice"),
        (base, [(support, 1e9)], out, None, "scale"),
        (small, [(support, 1.0)], out, None, "support"),
        (small, [(huge, 100.0)], out, None, "smaller scales"),
        (base, [(support, 1.0)], support, None, "another name"),
        (base, [(support, 1.0)], tmp_path, None, "folder"),
        (base, [(support, 1.0)], tmp_path / "no" / "x.gguf", None, "does not exist"),
        (base, [(support, 1.0)], out, "Q4_K_X", "did you mean Q4_K_"),
        (base, [(support, 1.0)], out, "IQ2_XXS", "importance matrix"),
    ]
    before = support.read_bytes()
    for model, stack, target, outtype, says in cases:
        with pytest.raises(ModelError, match=says):
            merged(model, stack, target, outtype)
    assert support.read_bytes() == before
    assert not out.exists() and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("outtype", [None, "Q8_0"])
def test_weights_with_a_scale_of_their_own_are_refused(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path, outtype: str | None
) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_tensor("blk.0.attn_q.scale", np.full(1, 3, np.float32))

    out = tmp_path / "out.gguf"
    with pytest.raises(
        ModelError, match=r"multiplies blk\.0\.attn_q\.weight by blk\.0\.attn_q\.scale"
    ):
        merged(write_model(edit=edit), [(write_adapter(), 1.0)], out, outtype)
    assert not out.exists()


def test_what_is_odd_about_a_merge_is_said(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_string("llamadiff.base.sha256", "1" * 64)

    base, adapter = write_model(), write_adapter(edit=edit)
    (other,) = merged(base, [(adapter, 1.0)], tmp_path / "out.gguf").notes
    assert "is another file" in other
    _, again = merged(base, [(adapter, 1.0)], tmp_path / "out.gguf", "Q8_0").notes
    assert "is quantized already" in again


@pytest.mark.parametrize("outtype", [None, "Q4_0", "F16"])
def test_rounding_larger_than_the_change_is_a_warning(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path, outtype: str | None
) -> None:
    base, weak = write_model(), write_adapter("weak.gguf", alpha=1e-4)
    it = merged(base, [(weak, 1.0)], tmp_path / "out.gguf", outtype)
    stored = outtype or "Q8_0"
    assert it.rounding is not None and it.rounding > 1
    assert it.notes[-1].startswith(f"Rounding to {stored} changes the weights more than the adap")
    assert it.notes[-1].endswith("use --outtype F32." if outtype == "F16" else "--outtype F16.")


def test_an_adapter_of_zeros_is_told(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    zero, other = write_adapter("zero.gguf"), write_adapter("other.gguf")
    start = read_header(zero).data_offset or 0
    zero.write_bytes(zero.read_bytes()[:start] + bytes(zero.stat().st_size - start))
    it = merged(write_model(), [(zero, 1.0)], tmp_path / "out.gguf")
    assert it.rounding is None and "zero changes nothing: in each" in " ".join(it.notes)
    it = merged(write_model(), [(other, 1.0), (zero, 1.0)], tmp_path / "out.gguf")
    assert it.rounding and sum("changes nothing" in note for note in it.notes) == 1


def test_memory_is_shared_by_the_threads(tmp_path: Path, write_model: WriteFile) -> None:
    from llamadiff.models.writing import merging

    asked: list[int] = []

    class Weight:
        def cuts(self, numbers: int) -> object:
            asked.append(numbers)
            return iter(())

    with merging.ThreadPoolExecutor(1) as pool:
        for threads in (1, 64):
            list(merging._in_order(pool, threads, Weight()))  # type: ignore[arg-type]
    assert asked == [merging.PIECE, merging.PIECE // 64]


def test_types_that_need_an_importance_matrix_are_not_rewritten(
    tmp_path: Path, base: Path, support: Path
) -> None:
    data = bytearray(base.read_bytes())
    name = b"blk.0.attn_q.weight"
    at = data.index(name) + len(name) + 4 + 2 * 8
    assert data[at] == 8
    data[at] = 22  # IQ2_S, which would take fewer bytes: only the check of types looks at it here
    facts = check_model(base)
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="IQ2_S, which cannot be written anew"):
        asyncio.run(
            merge(
                replace(facts, path=odd, parts=(odd,)),
                [(check_adapter(support), 1.0)],
                tmp_path / "out.gguf",
                log=tmp_path / "log",
                cache_dir=tmp_path / "cache",
            )
        )


# ------------------------------------------------------------------ being stopped


@pytest.fixture
def slow(random_model: Callable[[str, str], Path], tmp_path: Path) -> tuple[Path, Path]:
    """A base that takes a second to merge, and an adapter for it."""
    base = random_model("143M", "F32")
    rng = np.random.default_rng(0)
    adapter = tmp_path / "wide.gguf"
    writer = gguf.GGUFWriter(adapter, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 16.0)
    for i in range(12):
        for half, shape in (("lora_a", (64, 768)), ("lora_b", (3072, 64))):
            writer.add_tensor(
                f"blk.{i}.ffn_up.weight.{half}", rng.standard_normal(shape).astype(np.float32) / 50
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return base, adapter


def start(slow: tuple[Path, Path], folder: Path) -> subprocess.Popen[bytes]:
    """`llamadiff merge` to Q4_K_M, some of which has been written."""
    folder.mkdir()
    process = subprocess.Popen(
        [LLAMADIFF, "merge", str(slow[0]), "-a", str(slow[1]), "-o", str(folder / "out.gguf"), "--outtype", "Q4_K_M"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(lambda: any(path.stat().st_size > 1_000_000 for path in folder.glob(".*")))
    return process


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_stopped_it_leaves_nothing_behind(
    slow: tuple[Path, Path], tmp_path: Path, how: signal.Signals, code: int
) -> None:
    folder = tmp_path / "out"
    process = start(slow, folder)
    (worker,) = workers(process.pid, "writing.worker")
    process.send_signal(how)
    assert process.wait(20) == code
    wait_for(lambda: not Path(f"/proc/{worker}").exists() and not list(folder.iterdir()))


def test_the_death_of_the_worker_is_told_and_does_no_harm(
    slow: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.gguf"
    out.write_text("GGUF that was there before")

    async def work() -> None:
        doing = asyncio.create_task(
            merge(
                check_model(slow[0]),
                [(check_adapter(slow[1]), 1.0)],
                out,
                log=tmp_path / "log",
                cache_dir=tmp_path / "cache",
            )
        )
        while not workers(os.getpid(), "writing.worker"):
            await asyncio.sleep(0.01)
        os.kill(workers(os.getpid(), "writing.worker")[0], signal.SIGABRT)
        await doing

    with pytest.raises(EngineError, match="SIGABRT"):
        asyncio.run(work())
    assert out.read_text() == "GGUF that was there before"
    assert not list(tmp_path.glob(".*"))


def test_a_large_model_is_merged_in_little_memory(slow: tuple[Path, Path], tmp_path: Path) -> None:
    script = (
        "import resource, sys\n"
        "from llamadiff.models.writing.tasks import Merge, StackedFile\n"
        "from llamadiff.models.writing.merging import merge_files\n"
        "from llamadiff.models.engine.quantizing import Packing\n"
        "task = Merge([sys.argv[1]], 'b', 't', [StackedFile(sys.argv[2], 'a', 1.0)], sys.argv[3], sys.argv[4])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "merge_files(task, Packing(), 2, lambda progress: None)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, slow), str(tmp_path / "o.gguf"), str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    kilobytes = int(done.stdout)
    assert slow[0].stat().st_size > 500_000_000
    assert kilobytes < 250_000
