"""The library lists, searches, copies, renames and tags prompt files, and deletes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.library import SHIPPED, Library, PromptEntry
from llamadiff.prompts.parse import load_prompt

MINE = """\
# mine
name = "My shop"
description = "Answers for coats."
tags = ["shop", "two words"]
system = "Be kind to moths."
user = "{{ message }}"  # asked
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "shop.toml").write_text(MINE)
    return folder


def entry(library: Library, slug: str) -> PromptEntry:
    (found,) = [it for it in library.entries() if it.slug == slug]
    return found


def test_own_and_shipped_prompts_are_listed_and_broken_ones_with_the_reason(folder: Path) -> None:
    (folder / "broken.toml").write_text("name =")
    (folder / "parts").mkdir()
    (folder / "parts" / "part.toml").write_text("system = 's'")
    (folder / "uses.toml").write_text('name = "U"\ninclude = ["parts/no.toml"]')
    library = Library([folder, folder, folder / "missing"])
    entries = library.entries()
    assert [it.slug for it in entries[:4]] == ["broken", "shop", "uses", "bulleted-list"]
    assert entries[0].problem and "line 1: not valid TOML" in entries[0].problem
    assert entries[1] == PromptEntry(
        "My shop", "shop", folder / "shop.toml", ("shop", "two words"), "Answers for coats.",
        text="Be kind to moths.\n{{ message }}",
    )  # fmt: skip
    assert entries[2].problem is None, "files it names are looked at when it is loaded"
    assert {it.shipped for it in entries[3:]} == {True}


def test_what_changes_on_disk_is_seen(folder: Path) -> None:
    library = Library([folder])
    assert entry(library, "shop").name == "My shop"
    (folder / "shop.toml").write_text(MINE.replace("My shop", "Their shop"))
    assert entry(library, "shop").name == "Their shop"
    (folder / "shop.toml").unlink()
    assert not [it for it in library.entries() if it.slug == "shop"]


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("SHOP", ["shop", "support", "support-engineered"]),
        ("moths", ["shop"]),
        ("#sentiment", ["sentiment", "sentiment-engineered"]),
        ("#sent", []),
        ("support engineered", ["support-engineered"]),
        ("review", ["sentiment", "sentiment-engineered"]),
        ("kind shop", ["shop"]),
        ("xyzzy", []),
    ],
)
def test_search_looks_everywhere(folder: Path, text: str, slugs: list[str]) -> None:
    assert [it.slug for it in Library([folder]).search(text)] == slugs


def test_names_come_before_texts_in_a_search(folder: Path) -> None:
    (folder / "a.toml").write_text('name = "A"\nuser = "in French, please"')
    found = [it.slug for it in Library([folder]).search("french")]
    assert found == ["french", "french-engineered", "a"]
    assert len(Library([folder]).search("")) == len(Library([folder]).entries())


def test_a_copy_keeps_comments_and_has_a_name_of_its_own(folder: Path) -> None:
    library = Library([folder])
    copy = library.duplicate(entry(library, "shop"), "shop-2")
    assert (copy.name, copy.path, copy.tags) == ("Shop 2", folder / "shop-2.toml", ("shop", "two words"))  # fmt: skip
    assert copy.path.read_text() == MINE.replace("My shop", "Shop 2")
    own = library.duplicate(entry(library, "support"), "support-mine", "Mine")
    assert own.path == folder / "support-mine.toml" and not own.shipped
    assert load_prompt(own.path).user == "{{ message }}"
    with pytest.raises(PromptError, match="there already"):
        library.duplicate(entry(library, "support"), "shop")


def test_the_first_copy_makes_the_persons_folder(tmp_path: Path) -> None:
    library = Library([tmp_path / "config" / "prompts"])
    copy = library.duplicate(entry(library, "support"), "mine")
    assert copy.path.exists() and library.resolve("mine").name == "Mine"
    with pytest.raises(PromptError, match="no folder for prompts"):
        Library().duplicate(copy, "other") if copy.shipped else Library().new_path("other")


def test_renaming_changes_file_and_name_and_loses_nothing(folder: Path) -> None:
    library = Library([folder])
    renamed = library.rename(entry(library, "shop"), "store", "My store")
    assert (renamed.slug, renamed.name) == ("store", "My store")
    assert renamed.path.read_text() == MINE.replace("My shop", "My store")
    assert [it.name for it in folder.iterdir()] == ["store.toml"]
    (folder / "other.toml").write_text('name = "O"\nuser = "u"\ninclude = ["store.toml"]')
    with pytest.raises(PromptError, match=r"store\.toml is included by other"):
        library.rename(entry(library, "store"), "shop", "My store")
    with pytest.raises(PromptError, match="there already"):
        library.rename(entry(library, "store"), "other", "My store")
    assert library.rename(entry(library, "store"), "store", "Again").name == "Again"


@pytest.mark.parametrize("slug", ["", "a/b", "../x", ".hidden", "x.toml", "a\n", "a ", "x" * 200])
def test_a_slug_that_is_no_file_name_is_refused(folder: Path, slug: str) -> None:
    library = Library([folder])
    with pytest.raises(PromptError, match="cannot name a file"):
        library.rename(entry(library, "shop"), slug, "My shop")


def test_tags_are_set_and_taken_away(folder: Path) -> None:
    library = Library([folder])
    shop = library.set_tags(entry(library, "shop"), ["new", " new ", "", "shop"])
    assert shop.tags == ("new", "shop")
    assert shop.path.read_text() == MINE.replace('["shop", "two words"]', '["new", "shop"]')
    assert library.set_tags(shop, []).tags == ()
    with pytest.raises(PromptError, match="tags must each be one line of visible text"):
        library.set_tags(shop, ["a\x1b"])


def test_shipped_prompts_stay_as_they_are() -> None:
    library = Library()
    support = entry(library, "support")
    with pytest.raises(PromptError, match="stay as they are"):
        library.rename(support, "x", "X")
    with pytest.raises(PromptError, match="stay as they are"):
        library.set_tags(support, ["x"])
    assert support.path == SHIPPED / "support.toml"
