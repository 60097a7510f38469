"""Versions of prompts: what becomes one, what it is restored as, and how two of them differ."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.errors import CompareError
from llamadiff.compare.history.content import canonical, pack, readable, unpack
from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.history.versions import changes
from llamadiff.prompts.document import Example, Message, OutputRules, Prompt, Variable
from llamadiff.prompts.library import shipped

from .runs import PROMPT, keep, made, opened

EDITED = replace(PROMPT, user="Tell me much about {{ topic }}")
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
tables = st.dictionaries(st.text(), plain, max_size=3)
some_prompts = st.builds(
    Prompt,
    name=st.text(),
    system=st.text(),
    user=st.text(),
    messages=st.lists(st.builds(Message, st.text(), st.text()), max_size=3).map(tuple),
    prefill=st.text(),
    variables=st.lists(st.builds(Variable, st.text(), st.none() | st.text()), max_size=3).map(tuple),
    examples=st.lists(st.builds(Example, st.text(), st.text()), max_size=3).map(tuple),
    sampling=tables,
    output=st.builds(
        OutputRules, st.lists(st.text(), max_size=2).map(tuple), st.none() | st.text(), st.none() | tables
    ),
)  # fmt: skip


@given(some_prompts, some_prompts)
def test_any_prompt_is_restored_as_it_was(prompt: Prompt, other: Prompt) -> None:
    path = Path("/some/file.toml")
    restored = unpack(pack(canonical(prompt)), path)
    assert restored == prompt and restored.path == path
    assert canonical(restored) == canonical(prompt)
    if prompt != other:
        assert canonical(other) != canonical(prompt)


@given(some_prompts, some_prompts)
def test_the_changes_of_two_prompts_tell_both(before: Prompt, after: Prompt) -> None:
    found = changes(before, after)
    assert (found == []) == (readable(before) == readable(after))
    for change in found:
        old = [change.before[s.a_start : s.a_end] for s in change.diff.spans]
        new = [change.after[s.b_start : s.b_end] for s in change.diff.spans]
        assert ("".join(old), "".join(new)) == (change.before, change.after)


def test_every_shipped_prompt_has_a_readable_form() -> None:
    for prompt in shipped():
        assert readable(prompt)["name"] == prompt.name


def test_each_distinct_content_that_ran_is_one_version(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        assert history.versions(PROMPT) == []
        first, second = made("a", "b"), made("c", prompt=EDITED)
        keep(history, first, second, made("d"), made("e", prompt=replace(EDITED, prefill="So")))
        prefilled, edited, plain = history.versions(PROMPT)
        assert [v.runs for v in (plain, edited, prefilled)] == [2, 1, 1]
        # what was run last before, which is not always the version made last
        assert (plain.parent, edited.parent, prefilled.parent) == (None, plain.id, plain.id)
        assert history.version(edited.id) == EDITED
        assert history.page(Wanted(version=edited.id))[0].id == second.id
        assert plain.at.tzinfo is not None and plain.at <= edited.at


def test_prompts_of_two_files_or_names_have_versions_of_their_own(tmp_path: Path) -> None:
    here, there = (replace(PROMPT, path=tmp_path / name) for name in ("a.toml", "b.toml"))
    with opened(tmp_path) as history:
        keep(history, made("x", prompt=here), made("y", prompt=there), made("z"))
        found = [history.versions(prompt) for prompt in (here, there, PROMPT)]
        assert [len(versions) for versions in found] == [1, 1, 1]
        assert history.open(history.find("last")).variants[0].prompt.path is None
        assert history.version(found[0][0].id, here.path).path == here.path


def test_a_file_is_one_however_its_path_is_spelled(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "x.toml")
    (tmp_path / "x.toml").touch()
    paths = [tmp_path / it for it in ("x.toml", "a/../x.toml", "link.toml")]
    with opened(tmp_path / "state") as history:
        keep(history, made("x", prompt=replace(PROMPT, path=paths[0])))
        for path in paths:
            assert len(history.versions(replace(PROMPT, path=path))) == 1
            history.drafts.save("a", replace(PROMPT, path=path), None)
            assert history.drafts.newest(replace(PROMPT, path=paths[0])) is not None


def test_versions_and_drafts_go_with_a_file_that_is_renamed(tmp_path: Path) -> None:
    before, after = tmp_path / "x.toml", tmp_path / "y.toml"
    x, y = replace(PROMPT, path=before), replace(PROMPT, path=after)
    edited = replace(EDITED, path=before)
    with opened(tmp_path) as history:
        # once there was another file of the new name, which said the same in part
        keep(history, made("a", prompt=y))
        keep(history, made("b", prompt=x), made("c", prompt=edited))
        history.saved(x)
        history.name_version(history.versions(x)[-1].id, "the first")
        history.drafts.save("written", edited, x)
        history.flush()
        history.drafts.save("waiting", edited, x)
        history.moved(before, after)
        assert history.versions(x) == []
        second, first = history.versions(y)
        assert (first.runs, first.name, first.saved) == (2, "the first", True)
        assert (second.runs, second.parent) == (1, first.id)
        assert len(history.page(Wanted(version=first.id))) == 2
        assert history.drafts.newest(x) is None
        assert {draft.prompt.path for draft in history.drafts.free()} == {after}
        assert history.drafts.newest(y) is not None


def test_saving_makes_a_version_that_outlives_its_runs(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        run, passing = made("a"), made("b", prompt=EDITED)
        named = made("c", prompt=replace(EDITED, system="Be brief."))
        history.saved(PROMPT)
        keep(history, run, passing, named)
        last, middle, saved = history.versions(PROMPT)
        assert (saved.saved, middle.saved, saved.runs) == (True, False, 1)
        history.name_version(last.id, "the good one")
        assert last.parent == middle.id
        history.remove([run.id, passing.id, named.id])
        last, saved = history.versions(PROMPT)
        assert (last.name, last.runs, last.parent) == ("the good one", 0, saved.id)
        history.name_version(last.id, "")
        assert history.versions(PROMPT)[0].name == ""
        for act in (history.version, lambda number: history.name_version(number, "x")):
            with pytest.raises(CompareError, match="99"):
                act(99)


def test_changes_are_told_field_by_field_and_word_by_word() -> None:
    before = replace(PROMPT, examples=(Example("One?", "1"),), sampling={"temperature": 0.7})
    after = replace(
        before,
        system="Be brief.",
        user="Tell me about {{ topic }}",
        examples=(Example("Zero?", "0"), *before.examples),
        sampling={"temperature": 0.2},
    )
    found = {change.field: change for change in changes(before, after)}
    assert list(found) == ["system", "user", "examples", "sampling"]
    user = found["user"]
    added = [user.after[s.b_start : s.b_end] for s in user.diff.spans if s.kind == "added"]
    assert added == ["me about "]
    assert found["examples"].diff.words_removed == 0  # one came before, none was changed
    assert found["examples"].before == "user: One?\nassistant: 1"
    assert (found["sampling"].before, found["sampling"].after) == ("temperature: 0.7", "temperature: 0.2")  # fmt: skip
    assert found["system"].before == ""
