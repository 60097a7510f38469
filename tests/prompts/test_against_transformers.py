"""Chat templates render as transformers renders them: a dozen of ours, and all of llama.cpp's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamadiff.prompts.rendering.helper import Renderer

from ..conftest import ROOT
from .conversations import ASKED, CONVERSATIONS, LONG, WEATHER, Conversation, compare

pytest.importorskip("transformers", reason="the oracle comes with the tune extra")

OURS = sorted(Path(__file__).with_name("templates").glob("*.jinja"))
SOURCES = ROOT / ".venv" / "llama.cpp" / "models" / "templates"
THEIRS = sorted(SOURCES.glob("*.jinja"))
WANTS_MORE = {
    "CohereForAI-c4ai-command-r-plus-tool_use": Conversation(
        LONG,
        arguments={
            "tools": [{"name": "look", "description": "d", "parameter_definitions": {}}],
        },
    ),
    "fireworks-ai-llama-3-firefunction-v2": Conversation(
        LONG, arguments={"functions": json.dumps([WEATHER]), "datetime": "now"}
    ),
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": Conversation(
        LONG, arguments={"tools": [WEATHER]}
    ),
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use": Conversation(
        LONG, arguments={"tools": [WEATHER]}
    ),
}
"""Templates that render nothing without arguments of their own, which not all others take."""


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def name_of(path: Path) -> str:
    return path.stem


def check(renderer: Renderer, path: Path) -> bool:
    """Both render all conversations alike or refuse them in the same words; whether any is rendered."""
    template = path.read_text(encoding="utf-8")
    chats = {**CONVERSATIONS}
    if path.stem in WANTS_MORE:
        chats["its own"] = WANTS_MORE[path.stem]
    rendered = False
    for name, chat in chats.items():
        it = compare(renderer, template, chat)
        if chat.prefill and it.theirs is None and it.ours is not None:
            # transformers has no other way to begin an answer; we have llama-server's.
            assert it.ours.endswith(chat.prefill), name
            continue
        assert it.equal or it.refused, (name, it)
        rendered = rendered or it.equal
    return rendered


def test_there_are_a_dozen_of_ours_and_seventy_of_theirs() -> None:
    assert len(OURS) == 12
    assert len(THEIRS) == 70, f"{SOURCES} is missing; run `make .venv/llama.cpp`."


@pytest.mark.parametrize("path", [*OURS, *THEIRS], ids=name_of)
def test_a_template_renders_as_transformers_renders_it(renderer: Renderer, path: Path) -> None:
    assert check(renderer, path)


@pytest.mark.parametrize(
    ("name", "chat", "ending"),
    [
        ("turns", "prefill", "<|turn_start|>assistant\nDogs are"),
        ("thinking", "prefill", "<|assistant|>\n<think>\n\n</think>\n\nDogs are"),
        ("no_system", "prefill after turns", "<turn>model\nThe largest is the"),
        ("thinking", "no thinking", "<|assistant|>\n<think>\n\n</think>\n\n"),
        ("thinking", "effort", "[effort:high]"),
    ],
)
def test_an_answer_begins_as_its_template_writes_answers(
    renderer: Renderer, name: str, chat: str, ending: str
) -> None:
    template = Path(__file__).with_name("templates").joinpath(f"{name}.jinja").read_text()
    it = compare(renderer, template, CONVERSATIONS[chat])
    assert it.equal and it.ours is not None and it.ours.endswith(ending)


def test_where_no_answer_can_be_left_open_the_start_is_appended(renderer: Renderer) -> None:
    template = (
        "{% for m in messages %}{% if m.role == 'assistant' %}{{ raise_exception('no') }}"
        "{% endif %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    )
    it = compare(renderer, template, Conversation(ASKED, " Dogs"))
    assert (it.ours, it.theirs) == ("Tell me about dogs.> Dogs", None)
