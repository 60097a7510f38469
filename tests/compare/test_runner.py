"""Runs on the real engine: outputs, mistakes of one variant, cancelling, the document."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.document import run_document
from llamadiff.compare.errors import CompareError
from llamadiff.compare.run import Output, State, new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Beginning, StackedAdapter, Variant
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.models.errors import ModelError
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.parse import parse_prompt
from llamadiff.prompts.rendering.helper import Renderer

from ..conftest import until

ENDLESS = {"logit_bias": dict.fromkeys(range(8), -100.0), "max_tokens": 900}


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs))


async def test_what_was_given_up_does_not_go_on(runner: Runner) -> None:
    (variant,) = variants("label=x")
    run = new_run([replace(variant, sampling=ENDLESS)], {"topic": "dogs"})
    at_once: list[str] = []

    def given_up(output: Output, _: str) -> None:
        if not at_once:
            run.give_up()
        at_once.append(output.text)

    await runner.run(run, on_change=given_up)
    (output,) = run.outputs
    assert output.state is State.CANCELLED and output.text == at_once[0]


async def test_two_variants_run_and_are_stamped(runner: Runner, base: Path) -> None:
    run = new_run(variants("adapter=none", "adapter=support@0.8"), {"topic": "cats"}, repeats=2)
    await runner.run(run)
    await runner.hash_files(run)
    assert [(o.variant.name, o.repeat, o.seed) for o in run.outputs] == [
        ("A", 0, 0), ("A", 1, 1), ("B", 0, 0), ("B", 1, 1)
    ]  # fmt: skip
    for output in run.outputs:
        assert output.state is State.DONE and output.text and output.timings
        assert output.token_ends[-1] <= len(output.text)
        assert "cats" in output.stamp.prompt_text
        assert len(output.stamp.model_sha256 or "") == 64
        assert len(output.stamp.adapter_sha256) == len(output.variant.adapters)
    assert run.outputs[0].text != run.outputs[2].text


async def test_a_branch_begins_as_it_is_told_and_is_stamped(
    runner: Runner, random_model: Callable[[str, str], Path]
) -> None:
    first, tuned = variants("adapter=none", "adapter=support")
    plain = new_run([first], {})
    await runner.run(plain)
    (output,) = plain.outputs
    begins = Beginning(tuple(output.tokens[:7]), output.text[: output.token_ends[6]])
    run = new_run([replace(it, beginning=begins) for it in (first, tuned)], {})
    await runner.run(run)
    same, other = run.outputs
    assert same.tokens == output.tokens and same.text == output.text
    assert other.text.startswith(begins.text) and other.text != output.text
    assert other.stamp.forced == tuple(other.tokens[:7]) == begins.tokens
    assert run_document(run, "1.2.3")["variants"][1]["forced"] == list(begins.tokens)
    assert "“" in other.variant.title and other.variant.title != tuned.title
    elsewhere = replace(first, model=random_model("4M", "Q4_0"), beginning=begins)
    with pytest.raises(CompareError, match="tokens of another model"):
        await runner.run(new_run([elsewhere], {}), strict=True)


async def test_the_document_has_the_documented_fields(runner: Runner) -> None:
    run = new_run(variants("label=x", "label=y", "adapter=support"), {}, logprobs=2)
    await runner.run(run)
    await runner.hash_files(run)
    document = json.loads(json.dumps(run_document(run, "1.2.3")))
    assert set(document) == {"schema", "run_id", "variables", "engine", "variants", "diffs"}
    assert set(document["engine"]) == {
        "llamadiff", "llama_cpp", "backend", "threads", "n_ctx", "n_ubatch", "kv_type", "context_shift", "flash_attn", "exact",
    }  # fmt: skip
    first = document["variants"][0]
    assert set(first) == {
        "name",
        "label",
        "model",
        "adapters",
        "prompt",
        "sampling",
        "sampling_steps",
        "forced",
        "outputs",
        "groups",
    }
    assert first["groups"] == [{"count": 1, "same": True, "outputs": [0]}]
    assert set(first["model"]) == {"name", "path", "sha256"}
    assert set(first["prompt"]) == {"name", "variables", "text", "tokens"}
    assert set(document["variants"][2]["adapters"][0]) == {"name", "path", "sha256", "scale"}
    output = first["outputs"][0]
    assert {"text", "tokens", "finish_reason", "seed", "timings", "logprobs"} <= set(output)
    assert set(output["timings"]) == {
        "ttft_s", "prefill_tokens", "prefill_reused", "decode_tokens", "tokens_per_s", "threads",
    }  # fmt: skip
    same, tuned = document["diffs"]
    assert set(same) >= {"a", "b", "first_divergence", "words_added", "words_removed", "equal"}
    assert same["equal"] and same["first_divergence"] is None and same["words_added"] == 0
    assert not tuned["equal"]
    token = tuned["first_divergence"]["token"]
    a, b = document["variants"][0]["outputs"][0], document["variants"][2]["outputs"][0]
    assert a["tokens"][:token] == b["tokens"][:token] and a["tokens"][token] != b["tokens"][token]


async def test_one_variants_mistake_leaves_the_others_alone(runner: Runner, tmp_path: Path) -> None:
    good, *rest = variants(*["label=x"] * 6)
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"junk")
    broken = [
        replace(rest[0], prompt=parse_prompt('name = "p"\nuser = "{{ nobody }}"', "p")),
        replace(rest[1], model=tmp_path / "gone.gguf"),
        replace(rest[2], adapters=(StackedAdapter("junk", junk),)),
        replace(rest[3], sampling={"temperature": "hot"}),
        replace(rest[4], prompt=replace(good.prompt, user="{{ topic }} " + "word " * 3000)),
    ]
    run = new_run([good, *broken], {})
    await runner.run(run)
    states = [output.state for output in run.outputs]
    assert states == [State.DONE, *[State.FAILED] * 5]
    for output, word in zip(
        run.outputs[1:], ["nobody", "gone.gguf", "junk.gguf", "temperature", "context"], strict=True
    ):
        assert output.error and word in output.error and "\n" not in output.error


async def test_strict_raises_before_anything_runs(runner: Runner) -> None:
    good, bad = variants("label=x", "label=y")
    run = new_run([good, replace(bad, prompt=parse_prompt('name="p"\nuser="{{ x }}"', "p"))], {})
    with pytest.raises(PromptError, match="x"):
        await runner.run(run, strict=True)
    assert not run.outputs[0].text
    with pytest.raises(PromptError, match="topc"):
        await runner.run(new_run([good], {"topc": "cats"}), strict=True)


async def test_cancel_keeps_the_text(runner: Runner) -> None:
    a, b = variants("label=x", "label=y")
    run = new_run([replace(a, sampling=ENDLESS), replace(b, sampling=ENDLESS)], {})
    work = asyncio.create_task(runner.run(run))
    await until(lambda: all(len(output.tokens) > 5 for output in run.outputs))
    runner.cancel(run)
    await asyncio.wait_for(work, 5)
    for output in run.outputs:
        assert output.state is State.CANCELLED and output.finish_reason == "cancelled"
        assert output.text and len(output.tokens) < 900


async def test_the_engine_killed_in_a_run_keeps_the_texts_and_the_next_run_works(
    runner: Runner,
) -> None:
    (a,) = variants("label=x")
    run = new_run([replace(a, sampling=ENDLESS)], {})
    work = asyncio.create_task(runner.run(run))
    await until(lambda: len(run.outputs[0].tokens) > 5)
    assert runner.engine.pid
    os.kill(runner.engine.pid, signal.SIGKILL)
    await asyncio.wait_for(work, 10)
    output = run.outputs[0]
    assert output.state is State.FAILED and output.text
    assert output.error and "SIGKILL" in output.error
    again = new_run([a], {})
    await runner.run(again)
    assert again.outputs[0].state is State.DONE


async def test_preview_is_what_the_run_sends(runner: Runner) -> None:
    (a,) = variants("label=x")
    preview = await runner.preview(a, {"topic": "rivers"})
    run = new_run([a], {"topic": "rivers"})
    await runner.run(run)
    stamp = run.outputs[0].stamp
    assert (preview.text, preview.tokens) == (stamp.prompt_text, stamp.prompt_tokens)
    assert b"".join(preview.pieces).decode() == preview.text
    assert 0 < sum(preview.message_tokens) < len(preview.tokens)


async def test_a_context_that_memory_cannot_hold_is_refused_before_loading(
    engine: Engine, tmp_path: Path
) -> None:
    with Renderer() as renderer:
        settings = ModelSettings(n_ctx=2_000_000_000)
        runner = Runner(engine, renderer, cache_dir=tmp_path, settings=settings)
        (a,) = variants("label=x")
        with pytest.raises(ModelError, match="context"):
            await runner.load(a)
    assert engine.pid is None or engine.resident(a.model, settings) is None


async def test_a_prompt_longer_than_the_context_says_both_numbers(runner: Runner) -> None:
    (a,) = variants("label=x")
    long = replace(a, prompt=replace(a.prompt, user="{{ topic }} word " * 2000))
    with pytest.raises(CompareError, match="1,024"):
        await runner.prepare(long, {})


async def test_a_value_reaches_the_prompts_that_know_it(runner: Runner) -> None:
    dogs, film = variants("prompt=tell-me-about", "prompt=sentiment")
    run = new_run([dogs, film], {"topic": "rivers"})
    await runner.run(run, strict=True)
    assert "rivers" in run.outputs[0].stamp.prompt_text
    assert run.outputs[1].state is State.DONE
    with pytest.raises(PromptError, match="topik"):
        await runner.run(new_run([dogs, film], {"topik": "rivers"}), strict=True)
