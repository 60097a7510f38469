"""Messages become the text a model was trained on, through templates of the usual kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from llamadiff.prompts.document import Message
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import RenderedChat, Renderer

CHAT = (
    Message("system", "Be brief."),
    Message("user", "Hi"),
    Message("assistant", "Hello"),
    Message("user", "Dogs?"),
)

CHATML = """\
{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
{%- endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}
{%- endif %}
"""

BRACKETS = """\
{%- if messages[0].role == 'system' -%}
    {%- set system = '<<SYS>>\\n' ~ messages[0].content.strip() ~ '\\n<</SYS>>\\n\\n' -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set system = '' -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- for turn in turns -%}
    {%- if (turn.role == 'user') != (loop.index0 is even) -%}
        {{ raise_exception('Roles must take turns: user, assistant, user …') }}
    {%- endif -%}
    {%- if turn.role == 'user' -%}
        {{ bos_token + '[INST] ' + (system if loop.first else '') + turn.content + ' [/INST]' }}
    {%- else -%}
        {{ ' ' + turn.content + ' ' + eos_token }}
    {%- endif -%}
{%- endfor -%}
"""

NO_SYSTEM = """\
{{ bos_token }}
{%- for message in messages %}
{%- if message.role == 'system' %}
{{ raise_exception('System role not supported') }}
{%- endif %}
<turn>{{ 'model' if message.role == 'assistant' else message.role }}: {{ message.content | trim }}
{%- endfor %}
{%- if add_generation_prompt %}
<turn>model:
{%- endif %}
"""

MODERN = """\
{%- set ns = namespace(last=0) %}
{%- for message in messages %}
{%- if message.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}
{%- endfor %}
{%- for message in messages %}
{%- if message.role == 'system' %}{% continue %}{% endif %}
{%- if message.role == 'assistant' %}
{% generation %}{{ message.content }}{% endgeneration %}
{%- else %}
[{{ loop.index0 == ns.last }}]{{ message | tojson }}{{ tools is none }}
{%- endif %}
{%- if loop.index0 == 3 %}{% break %}{% endif %}
{%- endfor %}
{%- if strftime_now is defined %}{{ strftime_now('%Y') }}{% endif %}
"""


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def text_of(renderer: Renderer, template: str, *messages: Message, prefill: str = "") -> str:
    chat = renderer.render_chat(
        template, messages, bos_token="<s>", eos_token="</s>", prefill=prefill
    )
    assert chat.template_source == "model"
    assert chat.default_stop == ()
    return chat.text


def test_turns_between_markers(renderer: Renderer) -> None:
    assert text_of(renderer, CHATML, *CHAT, prefill="Dogs are") == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello<|im_end|>\n"
        "<|im_start|>user\nDogs?<|im_end|>\n"
        "<|im_start|>assistant\nDogs are"
    )


def test_the_generation_prompt_can_be_left_out(renderer: Renderer) -> None:
    chat = renderer.render_chat(
        CHATML, CHAT[1:2], bos_token="", eos_token="", add_generation_prompt=False
    )
    assert chat.text == "<|im_start|>user\nHi<|im_end|>\n"


def test_the_system_text_folded_into_the_first_turn(renderer: Renderer) -> None:
    assert text_of(renderer, BRACKETS, *CHAT) == (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Dogs? [/INST]"
    )


def test_a_template_that_wants_turns_says_so_itself(renderer: Renderer) -> None:
    with pytest.raises(PromptError) as caught:
        text_of(renderer, BRACKETS, Message("user", "a"), Message("user", "b"))
    assert str(caught.value) == (
        "the model's chat template refuses these messages: "
        "Roles must take turns: user, assistant, user … (line 10 of the template)"
    )


def test_a_template_without_a_system_role_says_so_itself(renderer: Renderer) -> None:
    assert text_of(renderer, NO_SYSTEM, *CHAT[1:]) == (
        "<s><turn>user: Hi<turn>model: Hello<turn>user: Dogs?<turn>model:"
    )
    with pytest.raises(PromptError, match="System role not supported") as caught:
        text_of(renderer, NO_SYSTEM, *CHAT)
    assert caught.value.line == 4


def test_loop_controls_generation_tojson_and_the_date(renderer: Renderer) -> None:
    text = text_of(renderer, MODERN, CHAT[0], Message("user", "<é'>"), *CHAT[2:], *CHAT[1:])
    assert re.fullmatch(
        r"\[False\]\{\"role\": \"user\", \"content\": \"<é'>\"\}True"
        r"Hello\[False\]\{\"role\": \"user\", \"content\": \"Dogs\?\"\}True\d{4}",
        text,
    )


def test_an_undefined_name_is_empty_as_models_expect(renderer: Renderer) -> None:
    assert text_of(renderer, "{{ nosuch }}{% if enable_x %}x{% endif %}y", *CHAT) == "y"


def test_messages_cannot_be_changed_by_a_template(renderer: Renderer) -> None:
    with pytest.raises(PromptError, match="not allowed"):
        text_of(renderer, "{{ messages.append(1) }}", *CHAT)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "a\n{% if %}",
            "the model's chat template cannot be read: Expected an expression, "
            "got 'end of statement block' (line 2 of the template)",
        ),
        (
            "a\n\n{{ messages[9].content.x }}",
            "the model's chat template failed: list object has no element 9 "
            "(line 3 of the template)",
        ),
        (
            "{{ raise_exception('\x1b[31mno\nway') }}",
            "the model's chat template refuses these messages: \\x1b[31mno\\nway "
            "(line 1 of the template)",
        ),
    ],
)
def test_a_failing_template_shows_its_message_and_line(
    renderer: Renderer, template: str, message: str
) -> None:
    with pytest.raises(PromptError) as caught:
        text_of(renderer, template, *CHAT)
    assert str(caught.value) == message


@pytest.mark.parametrize("template", [None, ""])
def test_without_a_template_the_text_is_plain(renderer: Renderer, template: str | None) -> None:
    chat = renderer.render_chat(template, CHAT, bos_token="<s>", eos_token="</s>", prefill="They")
    assert chat == RenderedChat(
        "System: Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Dogs?\n\nAssistant: They",
        "default",
        ("\nUser:",),
    )
    chat = renderer.render_chat(template, CHAT[3:], bos_token="", eos_token="")
    assert chat.text == "User: Dogs?\n\nAssistant:"
