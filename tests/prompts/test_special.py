"""Special tokens in the values of variables stay text; those that the prompt's author writes do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.prompts.document import Message, Prompt, Variable
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.special import JOINT, Special, without_joints

TEXTS = ("<s>", "</s>", "<|end|>", "<<s>>", "[ASK]", "\n", "<s")


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def test_the_longest_at_each_place_is_found() -> None:
    special = Special(TEXTS)
    text = "a <<s>> [ASK]\n</s></s>"
    found = [text[start:end] for start, end in special.find(text)]
    assert found == ["<<s>>", "<s>", "[ASK]", "</s>", "</s>"]
    assert special.written_in(text) == ("<<s>>", "<s>", "[ASK]", "</s>")
    assert "<s>" in special and "\n" not in special


def test_nothing_is_special_to_a_model_without_special_tokens() -> None:
    assert Special([]).fenced("<s>[x]^") == "<s>[x]^"


@given(st.lists(st.sampled_from((*TEXTS, "<", "s", ">", "é")), max_size=12).map("".join))
def test_no_part_of_a_fenced_text_holds_a_special_token(text: str) -> None:
    fenced = Special(TEXTS).fenced(text)
    assert without_joints(fenced) == text
    for part in fenced.split(JOINT):
        assert not any(special in part for special in TEXTS if len(special) > 1)


def test_values_are_fenced_and_what_the_author_writes_is_not(renderer: Renderer) -> None:
    prompt = Prompt(
        "X",
        user="<s>{{ film | upper }}{{ plot }}",
        prefill="{{ plot }}",
        variables=(Variable("film", "<s>"), Variable("plot")),
    )
    rendered = renderer.render_prompt(prompt, {"plot": "no </s>"}, Special(TEXTS))
    assert rendered.messages == (Message("user", f"<s><{JOINT}S>no <{JOINT}/s>"),)
    assert rendered.prefill == f"no <{JOINT}/s>"
    assert rendered.fenced == {"film": ("<s>",), "plot": ("</s>",)}
    assert rendered.parts == ("user",)
    chat = renderer.render_chat(
        "{{ bos_token }}{{ messages[0].content }}", rendered.messages, bos_token="<s>", eos_token=""
    )
    assert chat.text == "<s><s><S>no </s>"
    assert chat.marked.split(JOINT) == ["<s><s><", "S>no <", "/s>"]


def test_values_without_special_tokens_are_left_as_they_are(renderer: Renderer) -> None:
    prompt = Prompt("X", user="{{ a }}", variables=(Variable("a", "1 < 2"),))
    rendered = renderer.render_prompt(prompt, special=Special(TEXTS))
    assert (rendered.messages[0].content, rendered.fenced) == ("1 < 2", {})
