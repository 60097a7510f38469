"""Saving never loses what another program has written to the file meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.prompts import replacing
from llamadiff.prompts.document import Example, Message, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.merge import Conflict, changed_fields, fields_of, merged
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.save import save_prompt

from .strategies import prompts

TEXT = """\
name = "X"
user = "u"  # asked
[variables]
a = "1"
b = "2"
[sampling]
top_k = 4
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(TEXT)
    return path


def test_changes_of_different_fields_are_brought_together(path: Path) -> None:
    mine = load_prompt(path)
    path.write_text(TEXT.replace('"2"', '"3"').replace("# asked", "# theirs") + "seed = 1\n")
    variables = (Variable("a", "9"), Variable("b", "2"), Variable("c"))
    saved = save_prompt(replace(mine, user="v", variables=variables, sampling={}), path)
    assert saved == load_prompt(path)
    assert saved == Prompt(
        "X",
        user="v",
        variables=(Variable("a", "9"), Variable("b", "3"), Variable("c")),
        sampling={"seed": 1},
    )
    assert "# theirs" in path.read_text()
    assert save_prompt(saved, path).loaded == saved.loaded


def test_changes_of_one_field_are_asked_about_and_either_answer_keeps_the_rest(path: Path) -> None:
    mine = replace(load_prompt(path), user="mine", description="mine")
    theirs = TEXT.replace('"u"', '"theirs"').replace("4", "5")
    path.write_text(theirs)
    with pytest.raises(
        Conflict, match=r"x\.toml was changed by another program, as here, in user"
    ) as caught:
        save_prompt(mine, path)
    assert path.read_text() == theirs
    conflict = caught.value
    assert conflict.fields == ("user",) and conflict.on_disk == load_prompt(path)
    for answer, user in ((conflict.mine, "mine"), (conflict.theirs, "theirs")):
        path.write_text(theirs)
        saved = save_prompt(answer, path)
        assert saved == load_prompt(path)
        assert (saved.user, saved.description, saved.sampling) == (user, "mine", {"top_k": 5})


def test_two_system_texts_are_one_change_each_and_asked_about(path: Path) -> None:
    base = load_prompt(path)
    theirs = replace(base, messages=(Message("system", "Be long."), Message("user", "Hi")), user="")
    with pytest.raises(Conflict) as caught:
        merged(base, theirs, replace(base, system="Be short."))
    assert caught.value.fields == ("system", "messages")
    assert (caught.value.mine.system, caught.value.mine.messages) == ("Be short.", ())
    assert (caught.value.theirs.system, caught.value.theirs.messages) == ("", theirs.messages)


def test_the_same_change_here_and_there_is_no_conflict(path: Path) -> None:
    mine = replace(load_prompt(path), user="v")
    path.write_text(TEXT.replace('"u"', '"v"'))
    assert save_prompt(mine, path).user == "v"


def test_a_file_that_holds_another_prompt_is_not_written_over(path: Path) -> None:
    other = Prompt("Y", user="u")
    with pytest.raises(Conflict, match="holds another prompt, X"):
        save_prompt(other, path)
    with pytest.raises(Conflict):
        save_prompt(replace(load_prompt(path), path=path.with_name("y.toml"), name="Y"), path)
    assert path.read_text() == TEXT
    assert save_prompt(load_prompt(path), path) == load_prompt(path)
    assert save_prompt(other, path, replacing=True) == load_prompt(path) == other


def test_a_file_broken_or_gone_meanwhile_loses_nothing(path: Path) -> None:
    mine = replace(load_prompt(path), user="v")
    path.write_text("name = ")
    with pytest.raises(PromptError, match="not saved over"):
        save_prompt(mine, path)
    assert path.read_text() == "name = "
    path.unlink()
    assert save_prompt(mine, path) == load_prompt(path) == mine


@settings(deadline=None, max_examples=100)
@given(prompts, prompts, prompts)
def test_a_merge_holds_every_change(base: Prompt, theirs: Prompt, mine: Prompt) -> None:
    try:
        both = merged(base, theirs, mine)
        choices = [both]
        colliding: tuple[str, ...] = ()
    except Conflict as conflict:
        choices, colliding = [conflict.mine, conflict.theirs], conflict.fields
    for both in choices:
        fields = fields_of(both)
        for side in (theirs, mine):
            for field in changed_fields(base, side):
                if field not in colliding:
                    assert fields.get(field) == fields_of(side).get(field)
    assert merged(base, base, mine) == mine and merged(base, theirs, base) == theirs


@given(st.data())
def test_order_of_variables_follows_the_side_that_changed_it(data: st.DataObject) -> None:
    names = data.draw(st.permutations("abc"))
    base = Prompt("X", user="u", variables=tuple(map(Variable, "abc")))
    other = replace(base, variables=tuple(map(Variable, names)))
    assert merged(base, other, base) == merged(base, base, other) == other


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from llamadiff.prompts.document import Variable
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.save import save_prompt
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
prompt = load_prompt(path)
for number in range(count):
    variables = {v.name: v for v in prompt.variables} | {name: Variable(name, str(number))}
    prompt = replace(prompt, variables=tuple(variables.values()))
    prompt = save_prompt(replace(prompt, sampling={**prompt.sampling, f"{name}{number}": 1}), path)
"""


def test_writers_in_several_processes_lose_nothing(path: Path) -> None:
    count, names = 25, ("p", "q", "r")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(count)])
        for name in names
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    prompt = load_prompt(path)
    assert {v.name: v.default for v in prompt.variables} == {
        "a": "1", "b": "2", **{name: str(count - 1) for name in names},
    }  # fmt: skip
    written = {f"{name}{number}" for name in names for number in range(count)}
    assert set(prompt.sampling) == written | {"top_k"}
    assert [it.name for it in path.parent.iterdir()] == ["x.toml"]


EDITOR = """
import os, sys, time
from pathlib import Path
path = Path(sys.argv[1])
for number in range(150):
    text = path.read_text()
    own = [line for line in text.splitlines() if not line.startswith("description")]
    draft = path.with_name("draft")
    draft.write_text("\\n".join([f'description = "{number}"', *own]) + "\\n")
    os.replace(draft, path)
    time.sleep(0.004)
    end = time.monotonic() + 10
    while f'description = "{number}"' not in path.read_text():
        if time.monotonic() > end:  # it may be away for a moment, while two files are exchanged
            sys.exit(f"lost {number}")
"""


def test_an_editor_that_knows_no_locks_loses_nothing_it_wrote(path: Path) -> None:
    editor = subprocess.Popen([sys.executable, "-c", EDITOR, str(path)])
    prompt, saves = load_prompt(path), 0
    while editor.poll() is None:
        try:
            prompt = save_prompt(replace(prompt, user=f"u{saves}"), path)
        except Conflict as conflict:  # the editor put back what it had read before
            prompt = conflict.mine
        except PromptError as error:  # it wrote each time between our look and our write
            assert "keeps being changed" in str(error)
        saves += 1
    assert editor.returncode == 0 and saves
    assert load_prompt(path).description == "149"


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_file_changed_at_the_last_moment_is_left_alone(
    path: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:
        monkeypatch.setattr(replacing, "_exchange", lambda: None)
    seen = path.read_bytes()
    assert not replacing.replace_file(path, b"mine", b"before")
    assert not replacing.replace_file(path, b"mine", None)
    assert path.read_bytes() == seen
    assert replacing.replace_file(path, b"mine", seen) and path.read_bytes() == b"mine"
    assert [it.name for it in path.parent.iterdir()] == ["x.toml"]


def test_a_write_between_look_and_rename_comes_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = replacing._exchange()
    if exchange is None:
        pytest.skip("this system cannot exchange two files")
    calls: list[bool] = []

    def late(a: Path, b: Path) -> bool:
        if not calls:
            path.write_bytes(b"theirs")
        calls.append(True)
        return exchange(a, b)

    monkeypatch.setattr(replacing, "_exchange", lambda: late)
    assert not replacing.replace_file(path, b"mine", path.read_bytes())
    assert path.read_bytes() == b"theirs" and len(calls) == 2


def test_a_folder_that_another_holds_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(replacing, "WAIT_S", 0.05)
    handle = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    prompt = replace(load_prompt(path), examples=(Example("a", "b"),))
    with pytest.raises(PromptError, match="another llamadiff is writing"):
        save_prompt(prompt, path)
    os.close(handle)
    assert save_prompt(prompt, path) == load_prompt(path)
