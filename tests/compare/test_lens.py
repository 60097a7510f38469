"""The lens says of every token what transformers says of it, on the same file."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.lens import COLUMNS, Lens, lens_csv, lens_document, look, mean_logprob
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.prompts.rendering.helper import Renderer

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
TEXT = "Dogs are friendly animals that like to run, and cats sleep most of the day."


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        settings = ModelSettings(kv_type="f32")
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache", settings=settings)


def pair(*specs: str) -> tuple[Variant, Variant]:
    first, second = make_variants(Defaults(prompt="tell-me-about"), list(specs))
    return first, second


@cache
def transformers_says(
    model: Path, prompt: tuple[int, ...], answer: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """Log-probabilities of the answer's tokens, by transformers from the same GGUF file."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(
        model.parent, gguf_file=model.name, dtype=torch.float32
    )
    with torch.no_grad():
        logits = loaded(torch.tensor([[*prompt, *answer]])).logits[0].double()
    chances = torch.log_softmax(logits, -1)
    at = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
    return np.array([float(chances[i, token]) for i, token in zip(at, answer, strict=True)])


async def both(
    runner: Runner, model: Path, answer: str, *, exact: bool
) -> tuple[Lens, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    variant = replace(pair("label=x", "label=y")[0], model=model)
    lens = await look(runner, (variant, variant), {}, answer, exact=exact)
    prompt = tuple((await runner.prepare(variant, {})).tokens.tokens)
    ours = np.array([it.a.logprob for it in lens.tokens])
    return lens, ours, transformers_says(model, prompt, tuple(it.token for it in lens.tokens))


@pytest.mark.parametrize(("exact", "most"), [(True, 1e-4), (False, 1e-3)])
async def test_float32_models_agree_with_transformers(
    runner: Runner, random_model: Callable[[str, str], Path], exact: bool, most: float
) -> None:
    """Exact runs to 1e-4; flash attention, which others use, rounds a little more."""
    lens, ours, theirs = await both(
        runner, random_model("4M", "F32"), (TEXT + " ") * 8, exact=exact
    )
    assert len(ours) > 300
    assert np.abs(ours - theirs).max() <= most
    assert lens.summaries[0].logprob == pytest.approx(ours.sum())
    assert lens.summaries[0].logprob == pytest.approx(theirs.sum(), rel=most / 100)
    assert lens.summaries[0].perplexity == pytest.approx(np.exp(-theirs.mean()), rel=1e-4)


@pytest.mark.parametrize("exact", [False, True])
async def test_quantized_models_agree_but_for_the_arithmetic(
    runner: Runner, random_model: Callable[[str, str], Path], exact: bool
) -> None:
    """llama.cpp rounds what it multiplies with quantized weights to 8 bits, transformers does not."""
    _, ours, theirs = await both(runner, random_model("4M", "Q4_0"), (TEXT + " ") * 8, exact=exact)
    off = np.abs(ours - theirs)
    assert off.mean() <= 3e-3
    assert np.quantile(off, 0.99) <= 2e-2


async def test_a_variant_against_itself_differs_nowhere(runner: Runner) -> None:
    lens = await look(runner, pair("label=x", "label=y"), {}, TEXT)
    assert [it.delta for it in lens.tokens] == [0.0] * len(lens.tokens)
    assert b"".join(it.piece for it in lens.tokens).decode() == TEXT


async def test_special_tokens_that_are_written_in_a_text_are_text(runner: Runner) -> None:
    variants = pair("label=x", "adapter=support")
    text = "Write <|end|> and <|user|> here."
    lens = await look(runner, variants, {}, text)
    pieces = [it.piece.decode() for it in lens.tokens]
    assert "".join(pieces) == text and not {"<|end|>", "<|user|>"} & set(pieces)
    mean = await mean_logprob(runner, variants[0], {}, text)
    assert mean == pytest.approx(lens.summaries[0].logprob / len(pieces), abs=1e-3)


async def test_an_adapter_changes_the_models_mind(runner: Runner) -> None:
    told: list[float] = []
    variants = pair("adapter=none", "adapter=support")
    lens = await look(runner, variants, {}, TEXT, top=3, on_progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0
    one, two = lens.summaries
    assert two.logprob - one.logprob == pytest.approx(lens.mean_delta * len(lens.tokens))
    largest = lens.largest(2)
    assert abs(lens.tokens[largest[0]].delta) == max(abs(it.delta) for it in lens.tokens) > 0.5
    for view in (view for it in lens.tokens for view in (it.a, it.b)):
        assert len(view.top) == 3 and view.logprob <= view.top[0].logprob
        assert sum(np.exp(it.logprob) for it in view.top) <= 1.00001
        assert 0 < view.entropy < np.log(4096)
    for it in lens.tokens:
        place = [other.token for other in it.a.top].index(it.token) if it.a.rank <= 3 else None
        assert place is None or place == it.a.rank - 1
        assert (it.a.top[0].token == it.token) == (it.a.rank == 1)


async def test_another_prompt_changes_it_too_and_ids_are_taken_as_they_are(runner: Runner) -> None:
    variants = pair("prompt=tell-me-about", "prompt=informative-article")
    lens = await look(runner, variants, {"topic": "cats"}, [300, 301, 302])
    assert [it.token for it in lens.tokens] == [300, 301, 302]
    assert any(it.delta for it in lens.tokens)


async def test_what_cannot_be_looked_at_is_said(
    runner: Runner, random_model: Callable[[str, str], Path]
) -> None:
    variants = pair("label=x", "label=y")
    with pytest.raises(CompareError, match="no text"):
        await look(runner, variants, {}, "")
    with pytest.raises(CompareError, match="take a shorter text"):
        await look(runner, variants, {}, TEXT * 100)
    other = replace(variants[1], model=random_model("4M", "Q4_0"))
    with pytest.raises(CompareError, match="different vocabularies"):
        await look(runner, (variants[0], other), {}, TEXT)


async def test_the_document_is_json(runner: Runner) -> None:
    lens = await look(runner, pair("adapter=none", "adapter=support"), {}, "Hello ☺")
    document = json.loads(json.dumps(lens_document(lens)))
    assert {"schema", "variants", "mean_delta", "rounding", "tokens"} == set(document)
    assert {"token", "text", "delta", "views"} == set(document["tokens"][0])
    assert {"logprob", "rank", "entropy", "top"} == set(document["tokens"][0]["views"][1])


async def test_the_table_has_a_line_for_each_token(runner: Runner) -> None:
    lens = await look(runner, pair("adapter=none", "adapter=support"), {}, 'Hello "☺",\nyou')
    head, *lines = csv.reader(io.StringIO(lens_csv(lens)))
    assert head == list(COLUMNS) and len(lines) == len(lens.tokens)
    assert float(lines[1][3]) == lens.tokens[1].delta
    assert int(lines[1][5]) == lens.tokens[1].a.rank


def llamadiff(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [LLAMADIFF, "lens", *arguments], input=stdin, capture_output=True, timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


TWO = ("-p", "tell-me-about", "--variant", "adapter=none", "--variant", "adapter=support")


def test_the_command_looks_at_what_the_first_variant_says() -> None:
    done = llamadiff(*TWO, "--set", "max_tokens=12", "--json")
    document = json.loads(done.stdout)
    assert len(document["tokens"]) == 12
    assert [it["stack"] for it in document["variants"]] == ["base", "support@1"]


def test_the_command_marks_a_text_from_a_file() -> None:
    done = llamadiff(*TWO, "--text-file", "-", stdin=TEXT.encode())
    marked, table = done.stdout.decode().split("\n\n")
    plain = marked.replace("{+", "").replace("{-", "").replace("}", "")
    assert plain == TEXT and "{" in marked
    assert len(table.splitlines()) > 15 and "perplexity" in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-p", "tell-me-about"), "--variant twice"),
        ((*TWO, "--text", "x", "--text-file", "y"), "not both"),
        ((*TWO, "--text-file", "/nowhere"), "cannot be read"),
        ((*TWO, "--text", ""), "no text"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], says: str) -> None:
    done = llamadiff(*arguments)
    assert done.returncode == 2 and says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
