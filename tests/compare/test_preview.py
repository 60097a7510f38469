"""A preview on the real engine: where tokens go, what is warned of, and what is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from llamadiff.compare.preview import Part, Preview, counts, lookalikes, token_starts
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Event
from llamadiff.models.gguf.check import check_model
from llamadiff.models.gguf.facts import ModelFacts
from llamadiff.prompts.document import Example, Message, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.special import Special

from ..conftest import until

MERGING = Path(__file__).parent.parent / "prompts" / "templates" / "merged_system.jinja"
PROMPT = Prompt(
    "X",
    system="Be brief.",
    examples=(Example("Cats?", "Cats purr."), Example("Owls?", "Owls see.")),
    messages=(Message("user", "Hi"), Message("assistant", "Hello")),
    user="Tell me about {{ topic }}.",
    prefill="Dogs",
    variables=(Variable("topic", "dogs"),),
)


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


def variant(prompt: Prompt) -> Variant:
    (it,) = make_variants(Defaults(prompt="tell-me-about"), ["label=x"])
    return replace(it, prompt=prompt)


def with_templates(
    monkeypatch: pytest.MonkeyPatch, runner: Runner, templates: dict[str, str]
) -> None:
    """Let the model carry these chat templates."""

    def facts(path: Path) -> ModelFacts:
        return replace(check_model(path), chat_templates=templates)

    monkeypatch.setattr(runner, "facts", facts)


def shown(preview: Preview, token: int) -> str:
    return preview.texts[preview.tokens[token]].decode()


async def test_every_token_is_counted_in_one_part(runner: Runner) -> None:
    preview = await runner.preview(variant(PROMPT), {})
    assert [part.name for part in preview.parts] == [
        "system", "example 1", "example 2", "history", "user", "prefill", "template",
    ]  # fmt: skip
    assert all(part.tokens > 0 for part in preview.parts)
    assert sum(part.tokens for part in preview.parts) == len(preview.tokens)
    places = [span for span in preview.spans if span]
    said = [preview.text[start:end] for start, end in places]
    assert said == [*(message.content for message in preview.messages), "Dogs"]
    alone = await runner.engine.tokenize(
        await runner.load(variant(PROMPT)), "Be brief.", add_special=False
    )
    assert preview.parts[0] == Part("system", alone.count)
    assert preview.warnings == ()


async def test_special_tokens_are_known_by_who_writes_them(runner: Runner) -> None:
    prompt = Prompt(
        "X",
        user="a<|end|>b {{ film }} <|im_start|>",
        variables=(Variable("film", "so <|user|> bad"),),
    )
    preview = await runner.preview(variant(prompt), {})
    written = [
        shown(preview, token)
        for token in sorted(preview.special)
        if preview.in_message(token) is not None
    ]
    assert written == ["<|end|>"]
    assert [shown(preview, token) for token in sorted(preview.special)] == [
        "<|begin|>", "<|user|>", "<|end|>", "<|end|>", "<|assistant|>",
    ]  # fmt: skip
    looks = [preview.text[start:end] for start, end in preview.lookalikes]
    assert looks == ["<|user|>", "<|im_start|>"]
    assert preview.text.count("<|begin|>") == 1
    assert preview.warnings == (
        "user writes <|end|>, which the model is given as a special token",
        "the value of film holds <|user|>, which stays text: special tokens are only made of "
        "what the prompt itself says",
        "user writes <|im_start|>, which this model has no token for",
    )


async def test_what_is_seldom_meant_is_said_with_a_model_as_without(runner: Runner) -> None:
    prompt = Prompt(
        "X",
        user="Yes? {{ other }}",
        prefill="Yes, ",
        examples=(Example("a", "b"), Example("a ", "c"), Example("a", "d"), Example("e", "f")),
        variables=(Variable("film", "X"),),
    )
    preview = await runner.preview(variant(prompt), {"other": "z"})
    (blank, differing, unused, undeclared) = preview.warnings
    assert "ends with a blank" in blank
    assert differing == "examples 1 and 2 answer the same text differently, and so do 1 more"
    assert unused == "the variable film is not used"
    assert undeclared.startswith("other is not declared")


async def test_what_runs_is_what_was_previewed(runner: Runner) -> None:
    it = variant(Prompt("X", user="{{ a }}", variables=(Variable("a", "<|end|>"),)))
    preview, ready = await runner.preview(it, {}), await runner.prepare(it, {})
    assert (preview.tokens, preview.text) == (ready.tokens.tokens, ready.text)
    assert b"".join(preview.pieces).decode() == preview.text


async def test_a_prompt_longer_than_the_context_is_still_shown(runner: Runner) -> None:
    long = replace(PROMPT, examples=(Example("word " * 1000, "a"),) * 2)
    preview = await runner.preview(variant(long), {})
    assert not preview.fits
    assert "the examples alone are" in preview.warnings[0] and "1,024" in preview.warnings[0]
    preview = await runner.preview(variant(replace(PROMPT, user="word " * 2000)), {})
    assert preview.warnings[0].startswith(f"the prompt is {len(preview.tokens):,} tokens long")


async def test_a_model_without_a_template_is_said(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_templates(monkeypatch, runner, {})
    preview = await runner.preview(variant(PROMPT), {})
    assert preview.warnings == ("the model has no chat template, a plain one is used",)
    assert preview.text.startswith("System: Be brief.")
    assert all(preview.spans)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (MERGING.read_text("utf-8"), "has no system role"),
        (
            MERGING.with_name("dropped_system.jinja").read_text("utf-8"),
            "leaves the system text out",
        ),
    ],
)
async def test_a_template_without_a_system_role_is_said(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, template: str, words: str
) -> None:
    with_templates(monkeypatch, runner, {"default": template})
    preview = await runner.preview(variant(PROMPT), {})
    assert words in preview.warnings[0]
    without = await runner.preview(variant(replace(PROMPT, system="")), {})
    assert without.warnings == ()


async def test_a_template_gets_its_arguments_and_is_chosen_by_name(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = {"default": "{{ messages[-1].content }}{{ deep }}", "loud": "LOUD{{ deep }}"}
    with_templates(monkeypatch, runner, templates)
    deep = replace(PROMPT, prefill="", template={"deep": 3, "depe": 1})
    preview = await runner.preview(variant(deep), {})
    assert preview.text == "Tell me about dogs.3"
    assert "the model's chat template does not know depe" in preview.warnings
    preview = await runner.preview(variant(replace(deep, template={"name": "loud"})), {})
    assert preview.text == "LOUD"
    with pytest.raises(PromptError, match="no chat template lout; did you mean loud"):
        await runner.preview(variant(replace(deep, template={"name": "lout"})), {})


@pytest.mark.parametrize("template", ["", "{{ bos_token }}"])
async def test_bos_stands_at_the_start_once(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    with_templates(monkeypatch, runner, {"default": template + "{{ messages[0].content }}"})
    it = variant(Prompt("X", user="Hi"))
    model = await runner.load(it)
    model = replace(model, info=msgspec.structs.replace(model.info, add_bos=True))

    async def load(*_: object) -> LoadedModel:
        return model

    monkeypatch.setattr(runner, "load", load)
    preview = await runner.preview(it, {})
    assert preview.text == "<|begin|>Hi"
    assert shown(preview, 0) == "<|begin|>" and preview.special == {0}
    assert preview.parts[-1] == Part("template", 1)


async def test_a_preview_that_is_given_up_is_not_tokenized(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await runner.load(variant(PROMPT))
    engine = runner.engine
    answered: list[int] = []
    resolve = engine._resolve

    def listen(key: int, event: Event) -> None:
        answered.append(key)
        resolve(key, event)

    monkeypatch.setattr(engine, "_resolve", listen)
    slow = asyncio.create_task(engine.tokenize(model, "é " * 400_000, add_special=False))
    old = asyncio.create_task(engine.tokenize(model, "ab" * 400_000, add_special=False))
    new = asyncio.create_task(engine.tokenize(model, "a", add_special=False))
    await asyncio.sleep(0)
    await until(lambda: len(engine._waiting) == 3)
    first, given_up, last = engine._waiting
    old.cancel()
    assert (await new).count == 1
    with pytest.raises(asyncio.CancelledError):
        await old
    assert (await slow).count > 400_000
    assert first in answered and last in answered and given_up not in answered


class Counted(int):
    """An offset that counts how often it is compared."""

    asked = 0

    def __lt__(self, other: int) -> bool:
        Counted.asked += 1
        return int(self) < other

    def __le__(self, other: int) -> bool:
        Counted.asked += 1
        return int(self) <= other

    __hash__ = int.__hash__


def test_the_message_of_a_token_is_found_without_a_look_at_all() -> None:
    many = 4000
    spans = [(Counted(10 * n + 2), Counted(10 * n + 9)) for n in range(many)]
    spans[1], spans[2] = spans[2], spans[1]  # a template may write them in another order
    preview = Preview(
        messages=(), text="", tokens=[], texts={}, starts=list(range(0, 10 * many, 5)),
        message_tokens=(), template_source="model", n_ctx=1, spans=(None, *spans),
    )  # fmt: skip
    found = [preview.in_message(token) for token in range(8)]
    assert found == [None, 1, None, 3, None, 2, None, 4]
    Counted.asked = 0
    for token in range(2 * many):
        preview.in_message(token)
    assert Counted.asked < 60 * many


def test_characters_belong_to_the_token_they_begin_in() -> None:
    texts = {0: b"a", 1: b"\xf0\x9f", 2: b"\xa6", 3: b"\x99b"}
    starts = token_starts("a🦙ba", [0, 1, 2, 3, 0], texts)
    assert starts == [0, 1, 2, 2, 3, 4]
    assert counts(starts, [(0, 1), None, (1, 4)]) == ([1, 0, 4], 0)


def test_what_looks_like_a_special_token_is_found_where_it_is_none() -> None:
    text = "<s>[INST] <s> [A] </s> <|x y|> <|z|>"
    starts = [0, 3, len(text)]
    spans = lookalikes(text, starts, frozenset({0}), Special(["<s>", "[A]"]))
    assert [text[start:end] for start, end in spans] == ["[INST]", "<s>", "[A]", "</s>", "<|z|>"]
