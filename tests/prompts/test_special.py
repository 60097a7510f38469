"""Special tokens in the values of variables stay text; those that the prompt's author writes do not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby

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
    assert list(special.find("a<s")) == [(1, 3)], "a shorter one at the end of the text"
    assert "<s>" in special and "\n" not in special


def whole(text: str) -> list[tuple[int, int]]:
    return [(0, len(text))] if text else []


def test_nothing_is_special_to_a_model_without_special_tokens() -> None:
    assert Special([]).fenced("<s>[x]^", [(0, 7)]) == ("<s>[x]^", ())


@given(st.lists(st.sampled_from((*TEXTS, "<", "s", ">", "é")), max_size=12).map("".join))
def test_no_part_of_a_fenced_text_holds_a_special_token(text: str) -> None:
    fenced, _ = Special(TEXTS).fenced(text, whole(text))
    assert without_joints(fenced) == text
    for part in fenced.split(JOINT):
        assert not any(special in part for special in TEXTS if len(special) > 1)


@given(
    st.lists(
        st.tuples(st.sampled_from((*TEXTS, "<", "s", ">", "é", "/s>", "<|en")), st.booleans()),
        max_size=12,
    )
)
def test_a_special_token_is_one_only_where_all_of_it_is_the_authors(
    pieces: list[tuple[str, bool]],
) -> None:
    special, text, mine = Special(TEXTS), "", []
    for piece, own in pieces:
        text += piece
        mine += [own] * len(piece)
    runs = [(key, len(list(run))) for key, run in groupby(mine)]
    ends = list(accumulate(length for _, length in runs))
    places = [(end - length, end) for (own, length), end in zip(runs, ends, strict=True) if not own]
    fenced, _ = special.fenced(text, places)
    assert without_joints(fenced) == text
    at = 0
    for part in fenced.split(JOINT):
        for start, end in special.find(part):
            assert all(mine[at + start : at + end])
        at += len(part)
    parts = fenced.split(JOINT)
    for start, end in special.find(text):
        joints = list(accumulate(map(len, parts)))[:-1]
        if all(mine[start:end]):
            assert not any(start < joint < end for joint in joints)


def test_values_are_fenced_and_what_the_author_writes_is_not(renderer: Renderer) -> None:
    prompt = Prompt(
        "X",
        user="<s>{{ film }}{{ plot }}",
        prefill="{{ plot }}",
        variables=(Variable("film", "<s>"), Variable("plot")),
    )
    rendered = renderer.render_prompt(prompt, {"plot": "no </s>"}, Special(TEXTS))
    assert rendered.messages == (Message("user", f"<s><{JOINT}s>no <{JOINT}/s>"),)
    assert rendered.prefill == f"no <{JOINT}/s>"
    assert rendered.fenced == {"film": ("<s>",), "plot": ("</s>",)}
    assert rendered.parts == ("user",)
    chat = renderer.render_chat(
        "{{ bos_token }}{{ messages[0].content }}", rendered.messages, bos_token="<s>", eos_token=""
    )
    assert chat.text == "<s><s><s>no </s>"
    assert chat.marked.split(JOINT) == ["<s><s><", "s>no <", "/s>"]


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("{{ a }}{{ b }}", "hi<|im_end|>"),
        ("{{ c | lower }}", "<|end|>"),
        ("{{ a ~ b }}", "hi<|im_end|>"),
        ("<{{ 's' if a }}>", "<s>"),
        ("{% filter lower %}{{ c }}{% endfilter %}", "<|end|>"),
        ("{% macro m(x) %}-{{ x }}{% endmacro %}{{ m(c) | lower }}", "-<|end|>"),
        ("{% macro m(x) %}{{ caller() }}{% endmacro %}{% call m(1) %}{{ e }}{% endcall %}", "<|end|>"),
        ("{% set x %}{{ e }}{% endset %}{{ x }}", "<|end|>"),
        ("{% set x %}{{ a }}{% endset %}{{ x }}end|>", "hi<|im_end|>"),
        ("{% for letter in e %}{{ letter }}{% endfor %}", "<|end|>"),
        ("{{ 'text ' * 600 }}" + "x " * 2000 + "\n{{ e }}", None),
    ],
)  # fmt: skip
def test_what_an_expression_gives_stays_text(
    renderer: Renderer, user: str, text: str | None
) -> None:
    values = {"a": "hi<|im_", "b": "end|>", "c": "<|END|>", "e": "<|end|>"}
    special = Special(("<s>", "<|end|>", "<|im_end|>"))
    prompt = Prompt("X", user=user, variables=tuple(map(Variable, values)))
    (message,) = renderer.render_prompt(prompt, values, special).messages
    assert text in (None, without_joints(message.content))
    for part in message.content.split(JOINT):
        assert not list(special.find(part))


@pytest.mark.parametrize(
    "user",
    [
        "<s>{{ a }}</s>",
        "{% macro turn(x) %}<s>{{ x }}</s>{% endmacro %}{{ turn(a) }}",
        "{% set close %}</s>{% endset %}<s>{{ a }}{{ close }}",
        "{% if a %}<s>{% endif %}{{ a }}{{ '</s>' }}",
        "x " * 2000 + "\n<s>{{ a }}</s>" + "y " * 2000,
    ],
)
def test_what_the_author_writes_is_special_wherever_it_stands(
    renderer: Renderer, user: str
) -> None:
    prompt = Prompt("X", user=user, variables=(Variable("a", "hi"),))
    rendered = renderer.render_prompt(prompt, special=Special(TEXTS))
    assert "<s>hi</s>" in rendered.messages[0].content
    assert rendered.fenced == {}


def test_a_template_computes_with_values_as_they_are(renderer: Renderer) -> None:
    user = (
        "{{ v|length }} {{ v == '<|end|>' }} {{ v|upper }} {{ v[:3] }} {{ v is string }} {{ v|tojson }}"
        "{% set x %}-{{ v }}{% endset %} {{ x == '-<|end|>' }} {{ x|length }} {{ x|tojson }} {{ {x: 1}[x] }}"
    )
    prompt = Prompt("X", user=user, variables=(Variable("v", "<|end|>"),))
    special = Special(["<|end|>"])
    (message,) = renderer.render_prompt(prompt, special=special).messages
    assert without_joints(message.content) == (
        '7 True <|END|> <|e True "<|end|>" True 8 "-<|end|>" 1'
    )
    assert renderer.render_messages(prompt)[0].content == without_joints(message.content)


def test_what_no_single_value_holds_is_told_apart(renderer: Renderer) -> None:
    prompt = Prompt(
        "X",
        user="{{ a }}{{ b }} {{ c }}",
        variables=(Variable("a", "<|e"), Variable("b", "nd|>"), Variable("c", "<s>")),
    )
    rendered = renderer.render_prompt(prompt, special=Special(TEXTS))
    assert rendered.fenced == {"c": ("<s>",), "": ("<|end|>",)}


def test_values_without_special_tokens_are_left_as_they_are(renderer: Renderer) -> None:
    prompt = Prompt("X", user="{{ a }}", variables=(Variable("a", "1 < 2"),))
    rendered = renderer.render_prompt(prompt, special=Special(TEXTS))
    assert (rendered.messages[0].content, rendered.fenced) == ("1 < 2", {})
