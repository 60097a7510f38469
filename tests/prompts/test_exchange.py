"""Prompts come from other tools' files and go to them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.prompts.document import Message, OutputRules, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.exchange.exporting import (
    chat_jsonl,
    curl,
    messages_json,
    plain_text,
    template_messages,
)
from llamadiff.prompts.exchange.importing import import_prompts
from llamadiff.prompts.save import dump_prompt

CHAT = [
    {"role": "system", "content": "Be {{ tone }}."},
    {"role": "user", "content": "Hi {% x %}"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "{{ topic }}?"},
]
PROMPT = Prompt(
    "x",
    system="Be {{ tone }}.",
    messages=(Message("user", 'Hi {{ "{" }}% x %}'), Message("assistant", "Hello")),
    user="{{ topic }}?",
    variables=(Variable("tone"), Variable("topic")),
)


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_text_becomes_prompts_with_the_variables_it_names(tmp_path: Path) -> None:
    path = written(tmp_path, "ask me.txt", "Tell me about {{topic}} --- {{ x | upper }}.\n")
    (prompt,) = import_prompts(path).prompts
    assert prompt == Prompt("ask me", user="Tell me about {{topic}} --- {{ x | upper }}.", variables=(Variable("topic"),))  # fmt: skip
    several = import_prompts(written(tmp_path, "two.txt", "a\n---\nb\n---  \n\n")).prompts
    assert [(it.name, it.user) for it in several] == [("two 1", "a"), ("two 2", "b")]


def test_front_matter_of_markdown_is_no_prompt(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text("---\ntitle: A note\n---\nSay {{ it }}.\n---\nAnd again.\n")
    assert [prompt.user for prompt in import_prompts(path).prompts] == [
        "Say {{ it }}.",
        "And again.",
    ]


def test_messages_keep_plain_names_and_take_the_rest_literally(tmp_path: Path) -> None:
    assert import_prompts(written(tmp_path, "x.json", CHAT)).prompts == [PROMPT]
    (prompt,) = import_prompts(written(tmp_path, "x.jsonl", json.dumps({"messages": CHAT}))).prompts
    assert prompt == PROMPT
    answered = [*CHAT, {"role": "assistant", "content": "Sure"}]
    two = written(tmp_path, "y.jsonl", "\n".join(json.dumps({"messages": it}) for it in (CHAT, answered)))  # fmt: skip
    imported = import_prompts(two)
    assert [it.name for it in imported.prompts] == ["y 1", "y 2"]
    assert imported.notes == ["y 2: the answer at the end is left out."]


def test_a_request_brings_its_settings(tmp_path: Path) -> None:
    body = {
        "model": "m", "messages": CHAT, "temperature": 0, "max_completion_tokens": 5, "stop": "END",
        "logit_bias": None, "user": "u", "tools": [],
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "string"}}},
    }  # fmt: skip
    imported = import_prompts(written(tmp_path, "x.json", body))
    assert imported.prompts[0].sampling == {"temperature": 0, "max_tokens": 5}
    assert imported.prompts[0].output == OutputRules(("END",), None, {"type": "string"})
    assert imported.notes == ["x: left out are user, tools."]


def test_promptfoos_lists_are_read(tmp_path: Path) -> None:
    listed = [
        "Say {{ x }}",
        {"id": "i", "label": "Named", "raw": "Do {{ y }}"},
        {"raw": json.dumps(CHAT)},
        CHAT,
        "file://other.txt",
        {"label": "empty"},
    ]
    for content in (listed, {"prompts": listed, "providers": []}):
        imported = import_prompts(written(tmp_path, "x.json", content))
        assert [it.name for it in imported.prompts] == ["x 1", "Named", "x 3", "x 4"]
        assert imported.prompts[1].user == "Do {{ y }}"
        assert imported.prompts[3].messages == PROMPT.messages
        assert imported.notes == [
            "file://other.txt is a file of its own; import it by itself.",
            f"Prompt 6 of {tmp_path / 'x.json'} is neither text nor messages.",
        ]
    path = written(tmp_path, "x.csv", 'prompt,label\n"Say {{ x }}",First\nDo,\n')
    assert [(it.name, it.user) for it in import_prompts(path).prompts] == [
        ("First", "Say {{ x }}"),
        ("x 2", "Do"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.yaml", "a", "must end in"),
        ("x.json", "{", "line 1: not valid JSON"),
        ("x.json", "[" * 100_000, "not valid JSON"),
        ("x.json", "[]", "no prompt in"),
        ("x.json", '{"a": 1}', "no prompt in"),
        ("x.json", [{"role": "assistant", "content": "a"}], "no message of the user"),
        ("x.json", [{"role": "user", "content": None}], "message 1 has no content"),
        ("x.jsonl", '{"question": "a"}', "line 1: this is neither a chat"),
        ("x.txt", " \n", "no prompt in"),
        ("x.txt", "\n---\n".join("a" for _ in range(1001)), "more than 1,000"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    tmp_path: Path, name: str, content: object, words: str
) -> None:
    with pytest.raises(PromptError, match=words) as caught:
        import_prompts(written(tmp_path, name, content))
    assert "\n" not in str(caught.value)


def test_what_is_exported_comes_back(tmp_path: Path) -> None:
    messages = [Message(it["role"], it["content"]) for it in CHAT]
    for name, text in {"x.json": messages_json(messages), "x.jsonl": chat_jsonl(messages)}.items():
        assert import_prompts(written(tmp_path, name, text)).prompts == [PROMPT]
    path = written(tmp_path, "x.toml", dump_prompt(PROMPT))
    assert import_prompts(path).prompts == [PROMPT]
    assert template_messages(PROMPT)[0] == Message("system", "Be {{ tone }}.")
    assert plain_text([Message("user", "Hi")]) == "Hi"
    assert plain_text([Message("user", "Hi")], "We") == "User: Hi\n\nAssistant: We"


FAKE = '#!/bin/sh\nfor a; do printf "%s\\0" "$a"; done\ncase "$*" in *--data-binary*) cat;; esac\n'


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `curl` prints its arguments, and its input where it reads it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "curl").write_text(FAKE)
    (folder / "curl").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def sent(command: str, env: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        ["sh", "-s"], input=command.encode(), capture_output=True, env=env, check=True
    )
    *arguments, rest = done.stdout.decode().split("\0")
    assert arguments[:4] == ["-s", "http://127.0.0.1:8080/completion", "-H", "Content-Type: application/json"]  # fmt: skip
    return json.loads(rest if arguments[4:] == ["--data-binary", "@-"] else arguments[5])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), max_size=3))  # fmt: skip
def test_a_shell_sends_exactly_what_was_meant(shell: dict[str, str], stops: list[str]) -> None:
    stops = list(dict.fromkeys([*stops, "'; rm -rf $HOME `x` \"\\"]))
    command = curl([1, 2], {"seed": 7}, OutputRules(tuple(stops)), ["more"])
    assert sent(command, shell) == {
        "prompt": [1, 2], "seed": 7, "stop": list(dict.fromkeys([*stops, "more"])),
    }  # fmt: skip


def test_a_long_prompt_is_sent_by_standard_input(shell: dict[str, str]) -> None:
    tokens = list(range(60_000))
    assert sent(curl(tokens, {}), shell)["prompt"] == tokens


def test_settings_have_llama_servers_names() -> None:
    sampling = {
        "max_tokens": 9, "logit_bias": {3: -1.5, "4": float("-inf")},
        "samplers": ("top_k", "typical_p"),
    }  # fmt: skip
    command = curl([1], sampling, OutputRules((), None, {"type": "object"}), url="http://x:1/")
    assert command.startswith("curl -s http://x:1/completion ")
    body = json.loads(command.split(" -d ")[1].strip("'"))
    assert body == {
        "prompt": [1], "n_predict": 9, "logit_bias": [[3, -1.5], [4, False]],
        "samplers": ["top_k", "typ_p"], "json_schema": {"type": "object"},
    }  # fmt: skip
