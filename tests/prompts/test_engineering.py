"""Snippets, matrices and warnings: what helps a person engineer a prompt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.prompts.document import Example, ExampleData, Message, OutputRules, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.library import shipped
from llamadiff.prompts.matrix import matrix
from llamadiff.prompts.parse import parse_prompt
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.save import dump_prompt
from llamadiff.prompts.snippets import SHIPPED_SNIPPETS, Snippet, apply, snippets
from llamadiff.prompts.warnings import warnings

PLAIN = Prompt("X", user="Tell me about {{ topic }}.", variables=(Variable("topic", "dogs"),))


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def test_every_shipped_snippet_makes_a_sound_prompt_of_every_shipped_one(
    renderer: Renderer,
) -> None:
    ready = snippets()
    assert len(ready) >= 12 and not [it.problem for it in ready if it.problem]
    for snippet in ready:
        assert snippet.description and snippet.where
        for prompt in shipped():
            changed = apply(snippet, prompt)
            assert apply(snippet, changed) == changed
            assert parse_prompt(dump_prompt(changed), "x") == changed
        changed = apply(snippet, PLAIN)
        assert changed != PLAIN
        assert not warnings(changed, renderer.template_variables(changed)), snippet.name
        renderer.render_prompt(changed)


def test_a_snippet_goes_where_it_says() -> None:
    part = Prompt(
        "S",
        system="s",
        user="u",
        prefill="p",
        variables=(Variable("topic", "cats"), Variable("new")),
        examples=(Example("a", "b"),),
        sampling={"top_k": 1},
        output=OutputRules(("END",), None, {"type": "object"}),
    )
    before = replace(
        PLAIN, system="Be brief.", sampling={"seed": 1}, output=OutputRules(("x",), "root ::= x")
    )
    snippet = Snippet(part)
    assert snippet.where == ("system", "user", "examples", "prefill", "variables", "sampling", "output")  # fmt: skip
    assert snippet.text == "s\n\na\n\nb\n\nu\n\np"
    assert apply(snippet, before) == Prompt(
        "X",
        system="Be brief.\n\ns",
        user="Tell me about {{ topic }}.\n\nu",
        prefill="p",
        variables=(Variable("topic", "dogs"), Variable("new")),
        examples=(Example("a", "b"),),
        sampling={"seed": 1, "top_k": 1},
        output=OutputRules(("x", "END"), None, {"type": "object"}),
    )


def test_in_a_chat_the_system_message_and_the_last_of_the_users_grow() -> None:
    chat = Prompt("C", messages=(Message("system", "a"), Message("user", "b")))
    changed = apply(Snippet(Prompt("S", system="s", user="u")), chat)
    assert changed.messages == (Message("system", "a\n\ns"), Message("user", "b\n\nu"))
    assert apply(Snippet(Prompt("S", system="s")), replace(chat, messages=chat.messages[1:])).system == "s"  # fmt: skip


def test_an_added_example_takes_the_place_of_a_dataset(tmp_path: Path) -> None:
    data = ExampleData(tmp_path / "x.jsonl", 1)
    prompt = replace(PLAIN, examples=(Example("a", "b"),), example_data=data)
    changed = apply(Snippet(Prompt("S", examples=(Example("c", "d"),))), prompt)
    assert changed.examples == (Example("a", "b"), Example("c", "d"))
    assert changed.example_data is None


def test_a_copy_of_a_shipped_snippet_can_be_changed(tmp_path: Path) -> None:
    shutil.copy(SHIPPED_SNIPPETS / "steps.toml", tmp_path)
    path = tmp_path / "steps.toml"
    path.write_text(path.read_text().replace("Split into steps", "Zigzag"))
    for name, text in {
        "a": 'name = "A"', "b": 'name = "B"\nmessages = []', "c": "system = 's'", "d": "name ="
    }.items():  # fmt: skip
        (tmp_path / f"{name}.toml").write_text(text)
    found = snippets([tmp_path])
    assert found[-1].name == "Zigzag" and "Split into steps" not in [it.name for it in found]
    problems = [it.problem for it in found if it.problem]
    for words in ("needs one of system", "has no messages", "needs a name", "not valid TOML"):
        assert any(words in problem for problem in problems), words
    for broken in (it for it in found if it.problem):
        assert apply(broken, PLAIN) == PLAIN


def test_a_matrix_has_every_combination_each_prompt_can_have() -> None:
    other = Prompt("Y", user="{{ topic }} {{ tone }}", variables=(Variable("topic"),))
    cases = matrix([PLAIN, other], {"topic": ["a", "b"], "tone": ["kind", "dry"]}, {"Y": ["tone"]})
    assert [(case.place, str(case)) for case in cases] == [
        (0, "topic=a"), (0, "topic=b"),
        (1, "topic=a · tone=kind"), (1, "topic=a · tone=dry"),
        (1, "topic=b · tone=kind"), (1, "topic=b · tone=dry"),
    ]  # fmt: skip
    assert cases[0].values == {"topic": "a"} and cases[-1].prompt is other
    assert [(case.place, str(case)) for case in matrix([PLAIN, PLAIN], {})] == [(0, ""), (1, "")]
    with pytest.raises(PromptError, match="no prompt has a variable topc; did you mean topic"):
        matrix([PLAIN], {"topc": ["a"]})
    with pytest.raises(PromptError, match="topic has no values"):
        matrix([PLAIN], {"topic": []})
    with pytest.raises(PromptError, match="more than 10,000"):
        matrix([other], {"topic": ["a"] * 200, "tone": ["b"] * 200}, {"Y": ["tone"]})


@pytest.mark.parametrize(
    ("change", "used", "field", "words"),
    [
        ({}, [], "variables.topic", "topic is not used"),
        ({}, ["topic", "topics"], "variables.topics", "topics is not declared; did you mean topic"),
        ({}, ["topic", "zzz"], "variables.zzz", "has to be given each time"),
        ({"prefill": "Well, "}, ["topic"], "prefill", "ends with a blank"),
        ({"prefill": "Well:\n"}, ["topic"], "prefill", "ends with a blank"),
        ({"user": "<|im_start|>user"}, ["topic"], "user", r"<\|im_start\|>"),
        ({"system": "[INST] a [/INST]</s>"}, ["topic"], "system", r"\[INST\], \[/INST\], </s>"),
        ({"system": "<｜User｜>"}, ["topic"], "system", "special"),
        ({"examples": (Example("<start_of_turn>", "b"),)}, ["topic"], "user of example 1", "special"),
        ({"variables": (Variable("topic", "<s>"),)}, ["topic"], "variables.topic", "special"),
        ({"examples": (Example("a", "b"), Example("a", "c"))}, ["topic"], "examples[2]", "differently"),
    ],
)  # fmt: skip
def test_what_is_seldom_meant_is_said(
    change: dict[str, object], used: list[str], field: str, words: str
) -> None:
    import re

    (warning,) = warnings(replace(PLAIN, **change), used)  # pyright: ignore[reportArgumentType]
    assert warning.field == field and re.search(words, warning.message)


def test_shipped_prompts_and_ordinary_marks_are_not_warned_about(renderer: Renderer) -> None:
    for prompt in shipped():
        assert warnings(prompt, renderer.template_variables(prompt)) == []
    text = "a < b, <em>x</em>, [1] | <a|b>, List<str> <|> </section>"
    assert warnings(replace(PLAIN, user=text), ["topic"]) == []
