"""Rows to train on have the tokens that inference sends, and learn what the assistant says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from llamadiff.compare.conversation import given_turns
from llamadiff.compare.errors import CompareError
from llamadiff.compare.run import Output
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.training_data.examples import read_examples
from llamadiff.compare.training_data.preview import previewed
from llamadiff.compare.training_data.tokens import Prepared, PreparedExample, prepare
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.gguf.check import check_model
from llamadiff.models.gguf.facts import ModelFacts
from llamadiff.prompts.document import Example, Prompt, Variable
from llamadiff.prompts.rendering.helper import Renderer

TEMPLATES = Path(__file__).parents[2] / "prompts" / "templates"
TWO_TURNS = [
    {"role": "system", "content": "Be brief, not <|end|>."},
    {"role": "user", "content": "  Hi there <|assistant|>"},
    {"role": "assistant", "content": "Hello <|end|> you "},
    {"role": "user", "content": "And cats?\n"},
    {"role": "assistant", "content": "Cats purr, éh 🐈."},
]
CHATS = [TWO_TURNS, TWO_TURNS[1:3]]
REVIEWS = [
    {"review": "Cold food.", "expected": "negative"},
    {"review": "A joy!", "expected": "positive"},
]
PROMPT = Prompt(
    "X",
    system="Sort <|end|> reviews.",
    examples=(Example("So good.", "positive"),),
    user="Review: {{ review }}",
    prefill="It is ",
    variables=(Variable("review"),),
)


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


def use(monkeypatch: pytest.MonkeyPatch, runner: Runner, templates: Mapping[str, str]) -> None:
    """Have the model carry these chat templates."""

    def facts(model: Path) -> ModelFacts:
        return replace(check_model(model), chat_templates=dict(templates))

    monkeypatch.setattr(runner, "facts", facts)


def write(folder: Path, rows: Sequence[object], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


async def prepared(
    runner: Runner, model: LoadedModel, file: Path, prompt: Prompt | None = None
) -> Prepared:
    return await prepare(runner, model, read_examples(file, prompt, runner.renderer))


async def sent(runner: Runner, it: PreparedExample) -> list[int]:
    """The tokens that the engine is given for an example when a variant is run."""
    (variant,) = make_variants(Defaults(user="?"), [])
    variant = replace(variant, prompt=it.example.prompt)
    output = Output(variant, 0, 0)
    given_turns(output, it.example.turns)
    return (await runner.prepare(variant, it.example.values, output=output)).tokens.tokens


def answers(it: PreparedExample) -> list[list[int]]:
    """The stretches of tokens that are learned, row by row."""
    found: list[list[int]] = []
    for row in it.rows:
        before = False
        for token, trained in zip(row.tokens, row.trained, strict=True):
            if trained:
                found.append([token]) if not before else found[-1].append(token)
            before = trained
    return found


async def said(runner: Runner, model: LoadedModel, it: PreparedExample) -> list[str]:
    return [b"".join(await runner.engine.pieces(model, tokens)).decode() for tokens in answers(it)]


async def check_sent(runner: Runner, it: PreparedExample) -> None:
    """The last row is what is sent, and after it what is learned; nothing follows that."""
    row = it.rows[-1]
    start = max(i for i, (a, b) in enumerate(pairwise(row.trained)) if b and not a) + 1
    assert list(row.tokens[:start]) == await sent(runner, it)
    assert all(row.trained[start:])


async def test_what_is_sent_is_what_inference_sends(
    monkeypatch: pytest.MonkeyPatch, runner: Runner, model: LoadedModel, tmp_path: Path
) -> None:
    chats = write(tmp_path, [{"messages": chat} for chat in CHATS])
    model = replace(model, info=msgspec.structs.replace(model.info, add_bos=True))

    async def load(*_: object) -> LoadedModel:
        return model

    monkeypatch.setattr(runner, "load", load)
    tried = 0
    for path in [None, *sorted(TEMPLATES.glob("*.jinja"))]:
        use(monkeypatch, runner, {"default": path.read_text()} if path else {})
        try:
            found = await prepared(runner, model, chats)
        except CompareError as error:
            assert f"{chats}, line 1: the model's chat template " in str(error)
            continue
        tried += 1
        for it in found.examples:
            await check_sent(runner, it)
            assert it.ended
    assert tried >= 9


async def test_a_conversation_learns_each_answer_and_its_end(
    runner: Runner, model: LoadedModel, tmp_path: Path
) -> None:
    file = write(tmp_path, [{"messages": chat} for chat in CHATS])
    found = await prepared(runner, model, file)
    two, one = found.examples
    assert len(two.rows) == 1 and not two.joined and two.ended
    assert await said(runner, model, two) == [
        "Hello <|end|> you <|end|>", "Cats purr, éh 🐈.<|end|>",
    ]  # fmt: skip
    assert await said(runner, model, one) == ["Hello <|end|> you <|end|>"]
    (end,) = model.ends & set(two.rows[0].tokens)
    assert [tokens.count(end) for tokens in answers(two)] == [1, 1]
    assert found.written[0] == ("<|end|>", "<|assistant|>")
    shown, _ = await previewed(runner.engine, found, found.examples)
    assert [shown.text[a:b] for a, b in shown.learned] == await said(runner, model, two)
    written = [text for text, special in zip(shown.texts, shown.special, strict=True) if special]
    assert written.count("<|end|>") == 5 and "🐈" in "".join(shown.texts)


async def test_a_prompt_wraps_what_rows_ask(
    runner: Runner, model: LoadedModel, tmp_path: Path
) -> None:
    begun = [*REVIEWS, {"review": "Meh.", "expected": "It is neutral"}]
    found = await prepared(runner, model, write(tmp_path, begun), PROMPT)
    for it in found.examples:
        await check_sent(runner, it)
    learned = [(await said(runner, model, it))[0] for it in found.examples]
    assert learned == ["negative<|end|>", "positive<|end|>", "neutral<|end|>"]
    assert [it.expected for it in found.examples] == ["negative", "positive", "neutral"]
    pairs = [{"prompt": it["review"], "chosen": "a", "rejected": "b"} for it in REVIEWS]
    found = await prepared(runner, model, write(tmp_path, pairs))
    for it in found.examples:
        assert it.pair and it.rows == (it.pair.chosen, it.pair.rejected)
        assert await said(runner, model, it) == ["a<|end|>", "b<|end|>"]
        n = len(await sent(runner, it))
        assert it.pair.chosen.tokens[:n] == it.pair.rejected.tokens[:n]


async def test_templates_that_go_other_ways(
    monkeypatch: pytest.MonkeyPatch, runner: Runner, model: LoadedModel, tmp_path: Path
) -> None:
    """Turns gone by are changed; an answer is opened that is not written; words grow together; no
    token ends an answer; answers are left out."""
    file = write(tmp_path, [{"messages": TWO_TURNS[1:]}, {"messages": TWO_TURNS[1:3]}])
    thinking = (TEMPLATES / "thinking.jinja").read_text()
    use(monkeypatch, runner, {"default": thinking})
    two, one = (await prepared(runner, model, file)).examples
    assert [row.key for row in two.rows] == [two.example.key, f"{two.example.key}-1"]
    opened = "<think>\n\n</think>\n\n"
    assert await said(runner, model, two) == [
        f"{opened}Hello <|end|> you <|end|>", f"{opened}Cats purr, éh 🐈.<|end|>",
    ]  # fmt: skip
    assert len(one.rows) == 1

    prompt = Prompt("P", user="{{ user }}", template={"reasoning_effort": "low"})
    two, one = (await prepared(runner, model, file, prompt)).examples
    assert two.joined
    assert await said(runner, model, one) == ["Hello <|end|> you <|end|>"]
    await check_sent(runner, two)

    opening = "{% for m in messages %}{{ m.role ~ ':' ~ m.content ~ '.' ~ eos_token }}{% endfor %}{{ 'assistant> ' if add_generation_prompt }}"  # fmt: skip
    use(monkeypatch, runner, {"default": opening})
    two, one = (await prepared(runner, model, file)).examples
    assert await said(runner, model, one) == ["Hello <|end|> you .<|end|>"]
    await check_sent(runner, two)

    words = (
        "{% for m in messages %}{{ m.content }}{{ eos_token if m.role == 'assistant' }}{% endfor %}"
    )
    use(monkeypatch, runner, {"default": words})
    rows = [{"user": "Tell me of the wea", "expected": "ther."}, {"user": "a", "expected": "b"}]
    found = (await prepared(runner, model, write(tmp_path, rows, "words.jsonl"))).examples
    assert found[0].joined
    for it in found:
        await check_sent(runner, it)
    assert await said(runner, model, found[0]) == ["ther.<|end|>"]

    use(monkeypatch, runner, {"default": "{% for m in messages %}{{ m.content }}\n{% endfor %}"})
    assert await said(runner, model, (await prepared(runner, model, file)).examples[1]) == [
        "Hello <|end|> you <|end|>"
    ]
    bare = msgspec.structs.replace(model.info, eos="")
    (_, it) = (await prepared(runner, replace(model, info=bare), file)).examples
    assert not it.ended and await said(runner, model, it) == ["Hello <|end|> you "]

    use(monkeypatch, runner, {"default": "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}{{ '>' if add_generation_prompt }}"})  # fmt: skip
    with pytest.raises(
        CompareError, match=r"line 1: .* does not write out what the assistant says"
    ):
        await prepared(runner, model, file)
