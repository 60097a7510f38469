"""A prompt file is read as written, and every mistake in it is one sentence that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamadiff.prompts.document import (
    Example,
    Message,
    OutputRules,
    Prompt,
    Variable,
)
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.files import MAX_BYTES
from llamadiff.prompts.locate import find_line
from llamadiff.prompts.parse import load_prompt, parse_prompt

WHOLE = '''\
name = "Tell me about"
description = "A question."
system = "Be brief."
user = "Tell me about {{ topic }}."
prefill = "Well,"

[variables]
topic = "dogs"
tone = { default = "kind", description = "how it sounds" }
must = {}

[[examples]]
user = "Hi"
assistant = "Hello"

[[messages]]
role = "user"
content = """
Two
lines"""

[template]
enable_thinking = false
tools = [{ type = "function" }]

[sampling]
temperature = 0.7
logit_bias = { "12" = -1.5 }

[output]
stop = ["\\n\\n"]
schema = { type = "string" }
'''


def test_everything_a_prompt_can_say_is_read() -> None:
    assert parse_prompt(WHOLE, "x.toml") == Prompt(
        name="Tell me about",
        description="A question.",
        system="Be brief.",
        user="Tell me about {{ topic }}.",
        prefill="Well,",
        variables=(
            Variable("topic", "dogs"),
            Variable("tone", "kind", "how it sounds"),
            Variable("must"),
        ),
        examples=(Example("Hi", "Hello"),),
        messages=(Message("user", "Two\nlines"),),
        template={"enable_thinking": False, "tools": [{"type": "function"}]},
        sampling={"temperature": 0.7, "logit_bias": {"12": -1.5}},
        output=OutputRules(("\n\n",), None, {"type": "string"}),
    )


MISTAKES = [
    ('name = "X"\nuser = "a', 2, None, "not valid TOML"),
    ('name = "X"\nname = "Y"', 2, None, "not valid TOML"),
    ('name = "X"\n\nusr = "a"', 3, "usr", "unknown key usr; did you mean user?"),
    ('name = "X"\nuser = "a"\nzzz = 1', 3, "zzz", "the keys here are name"),
    ('name = "X"\nuser = 3', 2, "user", "user must be text in quotes, not a number"),
    ('name = true\nuser = "a"', 1, "name", "name must be text in quotes, not true or false"),
    ('user = "a"', None, "name", "needs a name"),
    ('name = " "\nuser = "a"', 1, "name", "one line of visible text"),
    ('name = "a\\u001b[2J"\nuser = "a"', 1, "name", "one line of visible text"),
    ('name = "X"', None, "user", "needs user or messages"),
    ('name = "X"\nuser = ""', None, "user", "needs user or messages"),
    ('name = "X"\nuser = "a"\nsampling = 3', 3, "sampling", "must be a table"),
    (
        'name = "X"\nuser = "a"\n[sampling]\nwhen = 2020-01-01',
        4,
        "sampling.when",
        "cannot be a date or time",
    ),
    ('name = "X"\nuser = "a"\n[sampling]\ntop_p = nan', 4, "sampling.top_p", "holds nan or inf"),
    (
        'name = "X"\nuser = "a"\n[sampling]\nsamplers = [1979-05-27]',
        4,
        "sampling.samplers",
        "holds a date",
    ),
    (f'name = "X"\nuser = "a"\nn = {"1" * 5000}', None, None, "a number in it is too large"),
    ('name = "X"\nuser = "a"\ntemplate = true', 3, "template", "must be a table, not true"),
    (
        'name = "X"\nuser = "a"\n[template]\nmessages = []',
        4,
        "template.messages",
        "made from the prompt",
    ),
    (
        'name = "X"\nuser = "a"\n[template]\ntools = [{ since = 2020-01-01 }]',
        4,
        "template.tools",
        "holds a date",
    ),
    ('name = "X"\nuser = "a"\ntemplate.name = 3', 3, "template.name", "name of a template"),
    ('name = "X"\nuser = "a"\nvariables = []', 3, "variables", "must be a table, not a list"),
    ('name = "X"\nuser = "a"\n[variables]\nn = 3', 4, "variables.n", "text in quotes, or a table"),
    ('name = "X"\nuser = "a"\n[variables]\na-b = "1"', 4, "variables.a-b", "cannot name a"),
    ('name = "X"\nuser = "a"\n[variables]\nnot = "1"', 4, "variables.not", "cannot name a"),
    (
        'name = "X"\nuser = "a"\n[variables]\na = { defualt = "" }',
        4,
        "variables.a.defualt",
        "did you mean default?",
    ),
    (
        'name = "X"\nuser = "a"\n[variables.a]\n\ndefault = 1',
        5,
        "variables.a.default",
        "text in quotes",
    ),
    ('name = "X"\nuser = "a"\nexamples = "no"', 3, "examples", "list of tables, not text"),
    ('name = "X"\nuser = "a"\nexamples = ["no"]', 3, "examples[1]", "must be a table, not text"),
    (
        'name = "X"\nuser = "a"\n[[examples]]\nuser = ""\nassistant = ""\n[[examples]]\nuser = ""',
        6,
        "examples[2]",
        "has no assistant",
    ),
    (
        'name = "X"\nuser = """\n[[examples]]\n"""\n[[examples]]\nuser = ""\nassistant = 1',
        7,
        "examples[1].assistant",
        "text in quotes",
    ),
    (
        'name = "X"\n[[messages]]\nrole = "usr"\ncontent = "a"',
        3,
        "messages[1].role",
        "unknown role usr; did you mean user?",
    ),
    (
        'name = "X"\n[[messages]]\nrole = "assistant"\ncontent = "a"',
        3,
        "messages[1].role",
        "last message must be the user's",
    ),
    (
        'name = "X"\nsystem = "s"\nuser = "a"\nmessages = [{ role = "system", content = "t" }]',
        2,
        "system",
        "given twice",
    ),
    (
        'name = "X"\nuser = "a"\n[output]\ngrammar = "root ::= x"\nschema = {}',
        5,
        "output.schema",
        "both a grammar and a schema",
    ),
    ('name = "X"\nuser = "a"\n[output]\nstop = "a"', 4, "output.stop", "list of texts"),
    ('name = "X"\nuser = "a"\n[output]\nstop = [""]', 4, "output.stop", "list of texts"),
    ('name = "X"\nuser = "a"\n[output]\ngrammar = ""', 4, "output.grammar", "is empty"),
    ('name = "X"\nuser = "a"\n[output]\ngrammar = "a.gbnf"', 4, "output.grammar", "has no file"),
    ('name = "X"\nuser = "a"\n[output]\nschema = 3', 4, "output.schema", "a table or the name"),
    (
        'name = "X"\nuser = "a"\n[output]\nschema = { default = 2020-01-01 }',
        4,
        "output.schema",
        "holds a date",
    ),
    ('name = "X"\nuser = "a"\n[output]\ngramar = ""', 4, "output.gramar", "did you mean grammar?"),
]


@pytest.mark.parametrize(("text", "line", "field", "words"), MISTAKES)
def test_a_mistake_is_one_sentence_with_line_and_field(
    text: str, line: int | None, field: str | None, words: str
) -> None:
    with pytest.raises(PromptError) as caught:
        parse_prompt(text, "my.toml")
    error = caught.value
    assert words in str(error)
    assert (error.source, error.line, error.field) == ("my.toml", line, field)
    assert str(error).startswith(f"my.toml, line {line}: " if line else "my.toml: ")
    assert "\n" not in str(error)


def test_control_characters_are_quoted_visibly() -> None:
    with pytest.raises(PromptError) as caught:
        parse_prompt('name = "X"\nuser = "a"\n"\\u001b[2J\\u202e" = 1', "x")
    assert "\\x1b[2J\\u202e" in str(caught.value)


def test_tables_nested_without_end_are_refused() -> None:
    with pytest.raises(PromptError, match="x"):
        parse_prompt("a = " + "[" * 100_000, "x")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("variables", "tone"), 9),
        (("variables", "tone", "default"), 9),
        (("examples", 0, "assistant"), 14),
        (("examples", 7, "assistant"), None),
        (("messages", 0, "content"), 18),
        (("output", "stop"), 31),
        (("absent",), None),
    ],
)
def test_the_line_of_a_key_is_found(path: tuple[str | int, ...], line: int | None) -> None:
    assert find_line(WHOLE, path) == line


def test_grammar_and_schema_may_be_files_beside_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "a.gbnf").write_text('root ::= "a"', "utf-8")
    (tmp_path / "a.json").write_text('{"enum": [null]}', "utf-8")
    path = tmp_path / "a.toml"
    path.write_text('name = "X"\nuser = "u"\n[output]\ngrammar = "a.gbnf"', "utf-8")
    assert load_prompt(path).output.grammar == 'root ::= "a"'
    path.write_text('name = "X"\nuser = "u"\n[output]\nschema = "a.json"', "utf-8")
    assert load_prompt(path).output.schema == {"enum": [None]}


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "not valid JSON"), ("[]", "JSON object"), ("[" * 100_000, "not valid JSON")],
)
def test_a_bad_schema_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.json").write_text(content, "utf-8")
    path = tmp_path / "a.toml"
    path.write_text('name = "X"\nuser = "u"\n[output]\nschema = "a.json"', "utf-8")
    with pytest.raises(PromptError, match=words) as caught:
        load_prompt(path)
    assert (caught.value.line, caught.value.field) == (4, "output.schema")


def test_a_missing_grammar_file_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('name = "X"\nuser = "u"\n[output]\ngrammar = "no.gbnf"', "utf-8")
    with pytest.raises(PromptError, match=r"line 4: there is no grammar file at .*no\.gbnf"):
        load_prompt(path)


def test_files_that_are_no_prompts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="there is no prompt file at"):
        load_prompt(tmp_path / "no.toml")
    with pytest.raises(PromptError, match="is a folder"):
        load_prompt(tmp_path)
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\xff\xfe")
    with pytest.raises(PromptError, match="not UTF-8 text"):
        load_prompt(path)
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PromptError, match="larger than 1 MB"):
        load_prompt(path)


def test_a_file_from_another_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'\xef\xbb\xbfname = "X"\r\nuser = """\r\na\r\nb"""\r\n')
    assert load_prompt(path) == Prompt("X", user="a\nb")
    assert load_prompt(path).slug == "a"


def test_a_prompt_without_a_file_is_addressed_by_its_name() -> None:
    assert Prompt("Tell me, about!", user="u").slug == "tell-me-about"
