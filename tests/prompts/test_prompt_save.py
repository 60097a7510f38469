"""Prompts are written so that they read back equal, and what a person wrote around them stays."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from llamadiff.prompts.document import Example, OutputRules, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.parse import load_prompt, parse_prompt
from llamadiff.prompts.save import dump_prompt, save_prompt

from .strategies import prompts


@settings(deadline=None, max_examples=100)
@given(prompts)
def test_a_dumped_prompt_reads_back_equal(prompt: Prompt) -> None:
    assert parse_prompt(dump_prompt(prompt), "x") == prompt


@settings(deadline=None, max_examples=100)
@given(prompts, prompts)
def test_a_prompt_saved_over_another_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, before: Prompt, after: Prompt
) -> None:
    path = tmp_path_factory.getbasetemp() / "over.toml"
    text = dump_prompt(before).replace("\n\n[", "\n\n# a comment\n[")
    path.write_text(f"# first\n{text}", encoding="utf-8", newline="\n")
    save_prompt(after, path, replacing=True)
    assert load_prompt(path) == after
    assert path.read_text("utf-8").startswith("# first\n")


WRITTEN = """\
# my prompt
user = "Tell me about {{ topic }}."   # the question
name = 'Tell'

[sampling]  # how
temperature = 0.70
# hot
top_k = 40

[variables]
topic = { default = "dogs" }

[output]
grammar = "short.gbnf"
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "short.gbnf").write_text('root ::= "a"', "utf-8")
    path = tmp_path / "tell.toml"
    path.write_text(WRITTEN, "utf-8")
    return path


def test_saving_unchanged_changes_no_byte(written: Path) -> None:
    save_prompt(load_prompt(written), written)
    assert written.read_text("utf-8") == WRITTEN


def test_only_what_changed_is_rewritten(written: Path) -> None:
    prompt = load_prompt(written)
    changed = replace(
        prompt,
        user="Tell me all about {{ topic }}.",
        sampling={"temperature": 0.7, "top_k": 50},
        examples=(Example("Hi", "Hello"),),
    )
    save_prompt(changed, written)
    expected = WRITTEN.replace("Tell me about", "Tell me all about").replace("40", "50")
    assert written.read_text("utf-8") == (
        expected + '\n[[examples]]\nuser = "Hi"\nassistant = "Hello"\n'
    )


def test_a_changed_grammar_replaces_the_file_name(written: Path) -> None:
    prompt = replace(load_prompt(written), output=OutputRules(grammar='root ::= "b"'))
    save_prompt(prompt, written)
    assert "short.gbnf" not in written.read_text("utf-8")
    assert load_prompt(written) == prompt


def test_what_is_gone_from_the_prompt_is_gone_from_the_file(written: Path) -> None:
    save_prompt(Prompt("Tell", user="Hi"), written, replacing=True)
    assert load_prompt(written) == Prompt("Tell", user="Hi")
    assert written.read_text("utf-8").startswith("# my prompt\nuser = ")


def test_dotted_keys_and_inline_tables_survive(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        'name = "X"\nuser = "u"\nsampling.top_k = 3 # few\nexamples = [\n'
        '  { user = "a", assistant = "b" }, # one\n]\n',
        "utf-8",
    )
    prompt = load_prompt(path)
    changed = replace(
        prompt, sampling={"top_k": 4, "seed": 1}, examples=(*prompt.examples, Example("c", "d"))
    )
    save_prompt(changed, path)
    assert load_prompt(path) == changed
    assert "# few" in path.read_text("utf-8")
    assert "# one" in path.read_text("utf-8")


def test_long_text_is_written_on_lines_of_its_own() -> None:
    text = dump_prompt(Prompt("X", user="first\nsecond"))
    assert 'user = """\nfirst\nsecond"""' in text


def test_a_variable_may_have_no_default(tmp_path: Path) -> None:
    prompt = Prompt("X", user="{{ a }}", variables=(Variable("a"), Variable("b", None, "why")))
    path = tmp_path / "x.toml"
    save_prompt(prompt, path)
    assert load_prompt(path) == prompt
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.toml"]


def test_variables_can_change_places(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('name = "X" # x\nuser = "u"\n[variables]\na = "1"\nb = "2"\n', "utf-8")
    prompt = load_prompt(path)
    for order in (("b", "a"), ("c", "b", "a"), ("a", "c")):
        changed = replace(prompt, variables=tuple(Variable(name, "1") for name in order))
        prompt = save_prompt(changed, path)
        assert load_prompt(path) == prompt == changed
    assert "# x" in path.read_text("utf-8")


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    save_prompt(Prompt("X", user="u"), target)
    target.chmod(0o600)
    link = tmp_path / "link.toml"
    link.symlink_to(target)
    save_prompt(replace(load_prompt(link), name="Y"), link)
    assert link.is_symlink()
    assert load_prompt(target).name == "Y"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (Prompt("", user="u"), "name"),
        (Prompt("X"), "user or messages"),
        (Prompt("X", user="u", output=OutputRules(schema={"enum": [None]})), "null"),
        (Prompt("X", user="u", variables=(Variable("a-b"),)), "a-b"),
        (Prompt("X", user="u", sampling={"a": float("nan")}), "nan or inf"),
        (Prompt("X", user="u", sampling={"a": object()}), "written as TOML"),
        (Prompt("X", user="\ud800"), "half of a character"),
    ],
)
def test_a_prompt_that_could_not_be_read_back_is_refused(prompt: Prompt, words: str) -> None:
    with pytest.raises(PromptError, match=words):
        dump_prompt(prompt)


def test_a_file_that_is_not_a_prompt_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.toml"
    path.write_text("todo = 1\n", "utf-8")
    with pytest.raises(PromptError, match="not saved over"):
        save_prompt(Prompt("X", user="u"), path)
    assert path.read_text("utf-8") == "todo = 1\n"


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"cannot be written: No such file"):
        save_prompt(Prompt("X", user="u"), tmp_path / "no" / "x.toml")


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with pytest.raises(PromptError, match=r"large\.toml would be larger than 1 MB"):
        save_prompt(Prompt("X", user='"\\' * 300_000), path)
    assert not path.exists()


COMMENTED = """\
name = "X"
user = "u"
# of q0
[[examples]]
user = "q0"
assistant = "a0"  # at a0

# of q1
[[examples]]
user = "q1"
assistant = "a1"  # at a1

# of q2
[[examples]]
user = "q2"
assistant = "a2"  # at a2

# the variables
[variables]  # all of them
# of one
one = "1"

# of two
two = "2"  # at two
"""


@pytest.mark.parametrize("gone", range(3))
def test_what_is_taken_out_takes_its_comments_along(tmp_path: Path, gone: int) -> None:
    path = tmp_path / "x.toml"
    path.write_text(COMMENTED)
    prompt = load_prompt(path)
    save_prompt(
        prompt.with_examples(tuple(e for e in prompt.examples if e.user != f"q{gone}")), path
    )
    text = path.read_text()
    for number in range(3):
        stays = number != gone
        assert (f'# of q{number}\n[[examples]]\nuser = "q{number}"' in text) is stays
        assert (f"# of q{number}" in text) is (f"# at a{number}" in text) is stays
    assert "# the variables\n[variables]  # all of them\n# of one" in text


def test_variables_change_places_with_their_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(COMMENTED)
    prompt = load_prompt(path)
    save_prompt(replace(prompt, variables=prompt.variables[::-1]), path)
    text = path.read_text()
    assert '# of two\ntwo = "2"  # at two\n# of one\none = "1"' in text
    assert "[variables]  # all of them" in text and load_prompt(path).variables[0].name == "two"


def test_a_text_to_edit_has_the_comments_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('# mine\nuser = "u"\nname = "X"  # last\n')
    prompt = load_prompt(path)
    assert dump_prompt(prompt) == path.read_text()
    edited = replace(prompt, user="other")
    assert dump_prompt(edited) == path.read_text().replace('"u"', '"other"')
    assert "#" not in dump_prompt(prompt.standalone())
    path.unlink()
    assert "# mine" in dump_prompt(prompt)


def test_a_file_that_was_deleted_is_written_again_with_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('# precious\nuser = "u" # kept\nname = "X"\n')
    prompt = load_prompt(path)
    path.unlink()
    saved = save_prompt(replace(prompt, system="s"), path)
    assert path.read_text() == '# precious\nuser = "u" # kept\nname = "X"\nsystem = "s"\n'
    path.unlink()
    assert "# precious" in (save_prompt(saved, path), path.read_text())[1]
