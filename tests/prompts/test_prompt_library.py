"""The shipped prompts are whole, and a prompt is found by path, stem or name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llamadiff.prompts.document import Prompt
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.library import SHIPPED, resolve, shipped
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.save import dump_prompt, save_prompt

SLUGS = [
    "bulleted-list",
    "french",
    "french-engineered",
    "informative-article",
    "intake",
    "intake-engineered",
    "one-sentence",
    "sentiment",
    "sentiment-engineered",
    "support",
    "support-engineered",
    "tell-me-about",
]


def test_the_shipped_prompts_are_all_there() -> None:
    assert [prompt.slug for prompt in shipped()] == SLUGS


def test_every_shipped_prompt_renders_as_it_is_and_uses_all_it_declares() -> None:
    with Renderer() as renderer:
        for prompt in shipped():
            assert renderer.render_messages(prompt)[-1].role == "user"
            assert set(renderer.template_variables(prompt)) == {v.name for v in prompt.variables}
            assert prompt.description


def test_names_are_not_shared() -> None:
    names = [prompt.name for prompt in shipped()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("word", ["support", "Support", "SUPPORT", " support "])
def test_a_stem_or_name_is_found(word: str) -> None:
    assert resolve(word).slug == "support"


def test_a_name_is_found_whatever_its_case() -> None:
    assert resolve("tell ME about").slug == "tell-me-about"


def test_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_prompt(Prompt("Mine", user="u"), tmp_path / "mine.toml")
    shutil.copy(tmp_path / "mine.toml", tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    for word in ("mine.toml", "./mine.toml", str(tmp_path / "mine.toml"), "mine"):
        assert resolve(word).name == "Mine"


def test_a_persons_folder_is_searched(tmp_path: Path) -> None:
    save_prompt(Prompt("My Own", user="u"), tmp_path / "own.toml")
    assert resolve("my own", [tmp_path]).path == tmp_path / "own.toml"
    assert resolve("own", [tmp_path]).name == "My Own"


def test_a_near_miss_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="did you mean tell-me-about"):
        resolve("tel-me-abuot")
    with pytest.raises(PromptError, match="there are bulleted-list"):
        resolve("xyzzy")
    with pytest.raises(PromptError, match="empty one"):
        resolve(" ")
    with pytest.raises(PromptError, match="no prompt file at"):
        resolve(str(tmp_path / "no.toml"))


def test_an_ambiguous_name_lists_the_candidates(tmp_path: Path) -> None:
    save_prompt(Prompt("Other", user="u"), tmp_path / "support.toml")
    with pytest.raises(PromptError) as caught:
        resolve("support", [tmp_path])
    assert str(tmp_path / "support.toml") in str(caught.value)
    assert str(SHIPPED / "support.toml") in str(caught.value)


def test_a_broken_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name =", "utf-8")
    assert resolve("Tell me about", [tmp_path]).slug == "tell-me-about"
    assert resolve("support", [tmp_path]).slug == "support"
    with pytest.raises(PromptError, match="line 1: not valid TOML"):
        resolve("broken", [tmp_path])


def test_shipped_files_are_written_as_llamadiff_writes(tmp_path: Path) -> None:
    for prompt in shipped():
        assert prompt.path is not None
        (tmp_path / "x.toml").write_text(dump_prompt(prompt), "utf-8")
        assert load_prompt(tmp_path / "x.toml") == prompt
