"""Where messages stand in the text of a chat, and what templates do with a system message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llamadiff.prompts.document import Message
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.choose import choose_template
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.outline import SystemRole, spans, system_role

from ..conftest import ROOT

OURS = Path(__file__).with_name("templates")
THEIRS = ROOT / ".venv" / "llama.cpp" / "models" / "templates"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def template(name: str) -> str:
    return OURS.joinpath(f"{name}.jinja").read_text("utf-8")


def found(
    renderer: Renderer, text: str | None, *messages: Message, prefill: str = ""
) -> list[str | None]:
    """The text at each span of the messages and of the prefill."""
    chat = renderer.render_chat(text, messages, prefill=prefill, **TOKENS)
    roles = [message.role for message in messages]
    outline = renderer.outline(text, roles, prefill=bool(prefill), **TOKENS)
    contents = [message.content for message in messages] + ([prefill] if prefill else [])
    places = spans(chat.text, contents, outline)
    return [chat.text[place[0] : place[1]] if place else None for place in places]


@pytest.mark.parametrize("name", [None, "turns", "headers", "brackets", "thinking"])
def test_messages_are_found_between_what_the_template_writes(
    renderer: Renderer, name: str | None
) -> None:
    text = template(name) if name else None
    messages = (
        Message("system", "user"),
        Message("user", "s"),
        Message("assistant", "assistant"),
        Message("user", "|"),
    )
    assert found(renderer, text, *messages, prefill="sys") == ["user", "s", "assistant", "|", "sys"]


def test_a_trimmed_message_is_found_trimmed(renderer: Renderer) -> None:
    assert found(renderer, template("headers"), Message("user", "  hi \n")) == ["hi"]


def test_a_message_that_is_left_out_is_nowhere(renderer: Renderer) -> None:
    messages = (Message("system", "a"), Message("user", "b"))
    assert found(renderer, template("dropped_system"), *messages) == [None, "b"]


def test_a_message_of_which_the_template_makes_something_else_is_looked_for(
    renderer: Renderer,
) -> None:
    messages = (
        Message("user", "one"),
        Message("assistant", "<think>x</think>two"),
        Message("user", "three"),
    )
    assert found(renderer, template("thinking"), *messages) == ["one", None, "three"]


def test_a_chat_that_is_refused_has_no_outline(renderer: Renderer) -> None:
    assert renderer.outline(template("no_system"), ["system", "user"], **TOKENS) is None


ROLES: list[tuple[Path, SystemRole]] = [
    (OURS / "turns.jinja", "own"),
    (OURS / "brackets.jinja", "own"),
    (OURS / "headers.jinja", "own"),
    (OURS / "default_system.jinja", "own"),
    (OURS / "no_system.jinja", "refused"),
    (OURS / "merged_system.jinja", "merged"),
    (OURS / "last_user.jinja", "merged"),
    (OURS / "dropped_system.jinja", "dropped"),
    (THEIRS / "google-gemma-2-2b-it.jinja", "refused"),
    (THEIRS / "mistralai-Mistral-Nemo-Instruct-2407.jinja", "merged"),
    (THEIRS / "meta-llama-Llama-3.1-8B-Instruct.jinja", "own"),
    (THEIRS / "Qwen-Qwen3-0.6B.jinja", "own"),
    (THEIRS / "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "own"),
    (THEIRS / "openai-gpt-oss-120b.jinja", "own"),
]


@pytest.mark.parametrize(("path", "role"), ROLES, ids=lambda it: getattr(it, "stem", it))
def test_what_a_template_does_with_a_system_message(
    renderer: Renderer, path: Path, role: SystemRole
) -> None:
    text = path.read_text("utf-8")
    outlines = (renderer.outline(text, roles, **TOKENS) for roles in (["system", "user"], ["user"]))
    assert system_role(*outlines) == role


def test_a_template_is_chosen_by_name_by_tools_or_by_default() -> None:
    templates = {"default": "d", "tool_use": "t", "rag": "r"}
    assert choose_template(templates, {}) == ("d", {})
    assert choose_template(templates, {"tools": [], "thinking": True}) == (
        "d",
        {"tools": [], "thinking": True},
    )
    assert choose_template(templates, {"tools": [{}]}) == ("t", {"tools": [{}]})
    assert choose_template(templates, {"tools": [{}], "name": "default"}) == ("d", {"tools": [{}]})
    assert choose_template({}, {"thinking": True}) == (None, {"thinking": True})
    with pytest.raises(PromptError, match="no chat template tool_us; did you mean tool_use") as it:
        choose_template(templates, {"name": "tool_us"})
    assert it.value.field == "template.name"
    with pytest.raises(PromptError, match="it has none"):
        choose_template({}, {"name": "rag"})
