"""What included files give is a default, is written only where it is one's own, and is checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from llamadiff.prompts.document import Example, Message, OutputRules, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.parse import fields_of, load_prompt, over, parse_prompt
from llamadiff.prompts.save import dump_prompt, save_prompt

from .strategies import prompts

HOUSE = """\
name = "House style"
tags = ["house"]
system = "Be brief. Write to {{ company }}."
prefill = "Well,"
[variables]
company = "Linden & Loom"
tone = "kind"
[sampling]
temperature = 0.2
top_k = 40
[[examples]]
user = "a"
assistant = "b"
[output]
stop = ["END"]
grammar = "root ::= [a-z]*"
"""
MINE = """\
# mine
include = ["parts/house.toml"]  # ours
name = "Mine"
user = "{{ message }}"
[variables]
tone = "strict"
message = "Hi"
[sampling]
temperature = 0.9  # hot
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "house.toml").write_text(HOUSE)
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def test_what_is_included_holds_where_the_prompt_says_nothing(mine: Path) -> None:
    prompt = load_prompt(mine)
    assert prompt == Prompt(
        "Mine",
        system="Be brief. Write to {{ company }}.",
        user="{{ message }}",
        prefill="Well,",
        variables=(
            Variable("company", "Linden & Loom"),
            Variable("tone", "strict"),
            Variable("message", "Hi"),
        ),
        sampling={"temperature": 0.9, "top_k": 40},
        examples=(Example("a", "b"),),
        output=OutputRules(("END",), "root ::= [a-z]*"),
        include=((mine.parent / "parts" / "house.toml").resolve(),),
    )
    assert prompt.standalone() == parse_prompt(dump_prompt(prompt.standalone()), "x")


def test_lists_and_forms_of_output_are_replaced_whole(mine: Path) -> None:
    mine.write_text(MINE + 'examples = []\n[output]\nstop = []\nschema = {type = "object"}\n'.replace("examples = []\n", ""))  # fmt: skip
    prompt = load_prompt(mine)
    assert prompt.output == OutputRules((), None, {"type": "object"})
    mine.write_text(
        'name = "M"\nuser = "u"\nprefill = ""\nexamples = []\ninclude = ["parts/house.toml"]'
    )
    prompt = load_prompt(mine)
    assert (prompt.examples, prompt.prefill) == ((), "")


def test_a_system_message_replaces_an_included_system_text(mine: Path) -> None:
    chat = 'messages = [{role = "system", content = "s"}, {role = "user", content = "u"}]'
    mine.write_text(f'name = "M"\ninclude = ["parts/house.toml"]\n{chat}')
    assert load_prompt(mine).system == ""
    (mine.parent / "parts" / "house.toml").write_text(chat)
    mine.write_text('name = "M"\ninclude = ["parts/house.toml"]\nsystem = "t"')
    prompt = load_prompt(mine)
    assert (prompt.system, prompt.messages) == ("t", (Message("user", "u"),))
    before = mine.read_text()
    save_prompt(prompt, mine)
    assert mine.read_text() == before


def test_a_later_file_goes_before_an_earlier_one_and_may_include_others(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('system = "a"\nprefill = "a"\nuser = "a"')
    (tmp_path / "b.toml").write_text('include = ["c.toml"]\nprefill = "b"')
    (tmp_path / "c.toml").write_text('system = "c"\nprefill = "c"')
    (tmp_path / "d.toml").write_text('name = "D"\ninclude = ["a.toml", "b.toml"]')
    prompt = load_prompt(tmp_path / "d.toml")
    assert (prompt.system, prompt.prefill, prompt.user) == ("c", "b", "a")


def test_only_what_is_ones_own_is_written(mine: Path) -> None:
    prompt = load_prompt(mine)
    save_prompt(prompt, mine)
    assert mine.read_text() == MINE
    saved = save_prompt(
        replace(prompt, prefill="", sampling={"temperature": 0.9, "top_k": 1}), mine
    )
    text = mine.read_text()
    assert "Be brief" not in text and "company" not in text and "# hot" in text and "# ours" in text
    assert load_prompt(mine) == saved and saved.prefill == ""
    (mine.parent / "parts" / "house.toml").write_text(HOUSE.replace("brief", "long"))
    assert save_prompt(replace(saved, user="Now"), mine).system.startswith("Be long")
    assert "Be " not in mine.read_text()


def test_a_copy_elsewhere_still_finds_what_it_includes(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    copy = tmp_path / "deep" / "er" / "copy.toml"
    prompt = load_prompt(mine)
    assert save_prompt(prompt, copy) == prompt == load_prompt(copy)
    assert 'include = ["../../parts/house.toml"]  # ours' in copy.read_text()
    assert "# mine" in copy.read_text()


def test_what_cannot_be_left_out_is_said(mine: Path) -> None:
    prompt = replace(load_prompt(mine), sampling={})
    with pytest.raises(PromptError, match=r"sampling\.top_k comes from an included file") as caught:
        save_prompt(prompt, mine)
    assert mine.read_text() == MINE and "take the file out" in str(caught.value)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a": 'include = ["no.toml"]'}, r"line 1: there is no prompt file at .*no\.toml"),
        ({"a": 'include = ["a.toml"]'}, r"a\.toml includes itself: a\.toml → a\.toml"),
        (
            {"a": 'include = ["b.toml"]', "b": "\ninclude = ['a.toml']"},
            r"line 1: .*b\.toml, line 2: .*a\.toml includes itself: a\.toml → b\.toml → a\.toml",
        ),
        ({"a": 'include = ["b.toml"]', "b": "sytem = 'x'"}, r"b\.toml, line 1: unknown key sytem"),
        ({"a": 'include = ["."]'}, "is a folder"),
        ({"a": 'include = ["/dev/zero"]'}, "not an ordinary file"),
        ({"a": "include = 'b.toml'"}, "list of texts"),
        ({"a": "include = ['b.toml', 'b.toml']"}, "twice"),
        ({"a": "include = ['b.toml']", "b": "name = 'only'"}, "needs user or messages"),
    ],
)
def test_includes_that_are_wrong_are_one_sentence(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    path = tmp_path / "a.toml"
    if "needs user" in words:
        path.write_text(f"name = 'A'\n{files['a']}")
    with pytest.raises(PromptError, match=words) as caught:
        load_prompt(path)
    assert caught.value.source == str(path) and "\n" not in str(caught.value)


def test_a_web_of_includes_is_read_once_and_a_crowd_is_refused(tmp_path: Path) -> None:
    for number in range(30):
        names = f'["{number + 1}a.toml", "{number + 1}b.toml"]' if number < 15 else "[]"
        for letter in "ab":
            (tmp_path / f"{number}{letter}.toml").write_text(f"include = {names}\nsystem = 's'")
    path = tmp_path / "x.toml"
    path.write_text('name = "X"\nuser = "u"\ninclude = ["0a.toml"]')
    assert load_prompt(path).system == "s"
    crowd = ", ".join(f"'{i}.toml'" for i in range(60))
    for number in range(60):
        (tmp_path / f"{number}.toml").write_text("system = 's'")
    path.write_text(f'name = "X"\nuser = "u"\ninclude = [{crowd}]')
    with pytest.raises(PromptError, match="more than 50 files"):
        load_prompt(path)


@settings(deadline=None, max_examples=50)
@given(prompts, prompts, prompts)
def test_prompts_that_include_others_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, house: Prompt, mine: Prompt, later: Prompt
) -> None:
    folder = tmp_path_factory.mktemp("include")
    (folder / "house.toml").write_text(dump_prompt(house), "utf-8", newline="\n")
    path = folder / "mine.toml"
    path.write_text('name = "M"\nuser = "u"\ninclude = ["house.toml"]', "utf-8")
    prompt = load_prompt(path)
    assert prompt.inherited is not None
    for own in (mine, later, replace(mine, messages=()), replace(later, system="s", messages=())):
        given = fields_of(own)
        given |= {"prefill": own.prefill, "examples": own.examples, "stop": own.output.stop}
        if not own.messages:
            given |= {"system": own.system, "messages": ()}
        changed = over(prompt.inherited, given)
        changed = replace(
            changed,
            include=prompt.include,
            inherited=prompt.inherited,
            loaded=prompt.loaded,
            path=path,
        )
        prompt = save_prompt(changed, path)
        assert load_prompt(path) == prompt == changed
