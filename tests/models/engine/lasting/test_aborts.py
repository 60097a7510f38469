"""Files, settings and prompts that would end llama.cpp's process are refused in words."""

import asyncio
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.run import State, new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import StackedAdapter
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, ModelSettings, Sampling
from llamadiff.models.errors import ModelError
from llamadiff.prompts.rendering.helper import Renderer

from ..architectures import write
from ..asking import NEVER_END
from ..surviving import PROMPT, ask, confined, refusal, short

WriteFile = Callable[..., Path]


# ------------------------------------------------------------------------------------ adapters


@pytest.fixture
def tuned(write_adapter: WriteFile, tmp_path: Path) -> Callable[[str], Path]:
    """Adapters for the small llama that are each wrong in one way."""

    def make(how: str) -> Path:
        match how:
            case "alpha float64":
                return write_adapter(
                    alpha=None, edit=lambda w: w.add_float64("adapter.lora.alpha", 16.0)
                )
            case "alpha integer":
                return write_adapter(
                    alpha=None, edit=lambda w: w.add_uint32("adapter.lora.alpha", 16)
                )
            case "alpha string":
                return write_adapter(
                    alpha=None, edit=lambda w: w.add_string("adapter.lora.alpha", "16")
                )
            case "token embedding":
                return write_adapter(pairs={"token_embd.weight": ((300, 4), (64, 4))})
            case "architecture":
                return write_adapter(architecture="qwen2")
            case "half a pair":
                return write_adapter(without=["blk.0.attn_q.weight.lora_b"])
            case "shape":
                return write_adapter(pairs={"blk.0.attn_q.weight": ((4, 32), (64, 4))})
            case "unknown tensor":
                return write_adapter(pairs={"blk.9.attn_q.weight": ((4, 64), (64, 4))})
            case "cut":
                path = write_adapter()
                path.write_bytes(path.read_bytes()[:-300])
                return path
            case "empty":
                (tmp_path / "empty.gguf").touch()
                return tmp_path / "empty.gguf"
            case "folder":
                return tmp_path
            case _:
                return tmp_path / "missing.gguf"

    return make


FATAL = ["alpha float64", "alpha integer", "alpha string", "token embedding"]
"""Adapters over which llama.cpp ends the process."""
UNFIT = ["architecture", "half a pair", "shape", "unknown tensor", "cut", "empty", "missing"]


@pytest.mark.parametrize("how", [*FATAL, *UNFIT, "folder"])
async def test_an_adapter_that_cannot_be_used_is_refused_before_the_engine_has_it(
    engine: Engine, write_model: WriteFile, tuned: Callable[[str], Path], tmp_path: Path, how: str
) -> None:
    (good,) = make_variants(Defaults(prompt="tell-me-about"), ["label=x"])
    bad = replace(
        good, name="B", model=write_model(tied=True), adapters=(StackedAdapter("bad", tuned(how)),)
    )
    with Renderer() as renderer:
        runner = Runner(engine, renderer, cache_dir=tmp_path / "cache")
        await runner.run(new_run([good], {}))
        pid = engine.pid
        run = new_run([good, bad], {})
        await runner.run(run)
        assert [output.state for output in run.outputs] == [State.DONE, State.FAILED]
        assert run.outputs[1].refused and run.outputs[1].error
        assert "llama.cpp cannot" not in run.outputs[1].error and "\n" not in run.outputs[1].error
        assert pid and engine.pid == pid


@pytest.mark.parametrize(
    "how",
    [
        *FATAL,
        *UNFIT,
        "folder",
    ],
)
async def test_an_adapter_changed_since_it_was_checked_is_refused_by_the_engine(
    engine: Engine, write_model: WriteFile, tuned: Callable[[str], Path], how: str
) -> None:
    model = await engine.load(write_model(tied=True))
    path = str(tuned(how))
    said = await refusal(engine, model, adapters=(AdapterUse(path),), tokens=[20, 21, 22])
    assert Path(path).stem in said


async def test_an_adapter_that_vanished_is_refused_and_comes_back(
    engine: Engine, model: LoadedModel, tmp_path: Path, support: Path
) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(support.read_bytes())
    there, gone = AdapterUse(str(path), 1.0, "1"), AdapterUse(str(path), 1.0, "")
    (before,) = await ask(engine, model, short(engine, adapters=(there,)))
    path.unlink()
    assert "mine.gguf" in await refusal(engine, model, adapters=(gone,))
    path.write_bytes(support.read_bytes())
    (after,) = await ask(engine, model, short(engine, adapters=(AdapterUse(str(path)),)))
    assert before.tokens == after.tokens and len(after.tokens) == 5


@pytest.mark.parametrize("scale", ["nan", "inf", "-inf", "1e38", "101"])
def test_scales_that_are_no_scale_are_refused(scale: str) -> None:
    with pytest.raises(ModelError, match="scale is between"):
        make_variants(Defaults(prompt="tell-me-about"), [f"adapter=support@{scale}"])


@pytest.mark.parametrize("scale", [101.0, 1e38, 1e300, -math.inf, math.nan])
async def test_a_scale_that_is_none_is_refused_by_the_worker(
    engine: Engine, model: LoadedModel, support: Path, scale: float
) -> None:
    said = await refusal(engine, model, adapters=(AdapterUse(str(support), scale),))
    assert "give one between -100 and 100" in said


@pytest.mark.parametrize("changes", [{"stop": ("\udcff",)}, {"group": 2**64}])
async def test_what_cannot_be_written_is_refused(
    engine: Engine, model: LoadedModel, changes: dict[str, object]
) -> None:
    with pytest.raises(ModelError, match="cannot be told"):
        await ask(engine, model, short(engine, **changes))
    await ask(engine, model, short(engine))


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("scale", [-3.0, 100.0])
async def test_no_scale_ends_the_worker(
    engine: Engine, model: LoadedModel, support: Path, scale: float, constrained: bool
) -> None:
    """Logits that are not numbers come of some; the output ends or is refused."""
    for sampling in (
        Sampling(max_tokens=5),
        Sampling(max_tokens=5, temperature=0),
        Sampling(max_tokens=5, mirostat=1),
        Sampling(max_tokens=5, mirostat=2),
    ):
        grammar = "root ::= [a-z ]+" if constrained else None
        use = AdapterUse(str(support), scale)
        (heard,) = await ask(
            engine,
            model,
            short(engine, adapters=(use,), sampling=sampling, grammar=grammar, logprobs=3),
        )
        assert heard.failure or heard.reason in ("stop", "length")


# ------------------------------------------------------------------------------------- loading


async def test_a_context_beyond_all_memory_is_refused_before_it_is_made(
    engine: Engine, base: Path, model: LoadedModel
) -> None:
    """The kernel would end the worker, or another process."""
    with confined(engine), pytest.raises(ModelError, match="memory"):
        await engine.load(base, ModelSettings(n_ctx=2_000_000_000), keep=[model])
    await ask(engine, model, short(engine))


async def test_a_vocabulary_that_lacks_bytes_is_refused(
    engine: Engine, model: LoadedModel, tmp_path: Path
) -> None:
    """llama.cpp would end the worker at the first character that needs one of them."""
    path = tmp_path / "bytes.gguf"
    write("experts", path)
    it = path.read_bytes()
    assert it.count(b"<0xE9>") == 1
    path.write_bytes(it.replace(b"<0xE9>", b"<none>"))
    with pytest.raises(ModelError, match="a token for every byte"):
        await engine.load(path)
    await ask(engine, model, short(engine))


@pytest.mark.parametrize("how", ["cut", "half", "empty", "folder", "pipe", "text"])
async def test_a_model_file_that_is_none_is_refused(
    engine: Engine, model: LoadedModel, base: Path, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "bad.gguf"
    match how:
        case "cut":
            path.write_bytes(base.read_bytes()[:-1000])
        case "half":
            path.write_bytes(base.read_bytes()[:300_000])
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.write_text("not a model")
    async with asyncio.timeout(60):
        with pytest.raises(ModelError, match=r"bad\.gguf"):
            await engine.load(path)
    await ask(engine, model, short(engine))


@pytest.mark.parametrize("kv_type", ["q8_0", "q4_0"])
async def test_a_kv_type_that_does_not_fit_the_model_is_refused(
    engine: Engine, model: LoadedModel, write_model: WriteFile, kv_type: str
) -> None:
    """Blocks of 32 do not divide heads of 16."""
    with pytest.raises(ModelError, match=r"llama\.cpp cannot make a context"):
        await engine.load(write_model(), ModelSettings(kv_type=kv_type))  # type: ignore[arg-type]
    await ask(engine, model, short(engine))


async def test_an_exact_run_on_a_quantized_cache_is_refused(engine: Engine, base: Path) -> None:
    """It leaves flash attention off, without which llama.cpp has no such cache."""
    model = await engine.load(base, ModelSettings(kv_type="q8_0"))
    assert "quantized" in await refusal(engine, model, exact=True)


# --------------------------------------------------------------------------- prompts and batches


@pytest.mark.parametrize("token", [-1, 3072, 2**31, 2**63])
async def test_token_ids_that_the_vocabulary_lacks_are_refused(
    engine: Engine, model: LoadedModel, token: int
) -> None:
    assert "vocabulary" in await refusal(engine, model, tokens=[20, token, 21])
    sampling = Sampling(max_tokens=5, logit_bias={token: 1.0})
    assert "logit_bias" in await refusal(engine, model, sampling=sampling)


async def test_a_prompt_larger_than_a_batch_is_computed_in_parts(
    engine: Engine, base: Path
) -> None:
    model = await engine.load(base, ModelSettings(n_ubatch=33))
    prompts = [[300 + i % 700 + k for i in range(1000)] for k in range(8)]
    heard = await ask(engine, model, *(short(engine, tokens=tokens) for tokens in prompts))
    assert [len(it.tokens) for it in heard] == [5] * 8


async def test_a_prompt_may_fill_the_context_but_for_one_token(
    engine: Engine, model: LoadedModel
) -> None:
    whole = (PROMPT * 26)[: model.info.n_ctx]
    sampling = Sampling(max_tokens=50, logit_bias=NEVER_END)
    heard = await ask(
        engine, model, *(short(engine, tokens=whole[:-1], sampling=sampling) for _ in range(4))
    )
    assert [(it.reason, len(it.tokens)) for it in heard] == [("context", 2)] * 4
    assert "context" in await refusal(engine, model, tokens=whole)


@pytest.mark.parametrize("groups", [1, 300])
async def test_three_hundred_requests_at_once_are_more_than_llama_cpp_takes(
    engine: Engine, model: LoadedModel, groups: int
) -> None:
    """It refuses contexts of more than 256 sequences."""
    asked = [short(engine, tokens=PROMPT[: 1 + i % 40], group=i % groups) for i in range(300)]
    assert {len(it.tokens) for it in await ask(engine, model, *asked)} == {5}
