"""What the Evaluate screen does with suites' files, on the real app."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.shipped import files_of, shipped_suites
from llamadiff.compare.evaluation.variants import suite_variants
from llamadiff.compare.spec import Defaults
from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.suites_listed import Heading, find_suites, listed_items

from ..compare.evaluation.suites import write_suite
from ..conftest import until
from .app import opened, screen_text
from .test_evaluate_screen import items


async def test_a_copy_of_one_that_ships_has_all_that_it_names(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamadiff.tui.screens.suite_files.edit_file", lambda app, file: "")
    own = home / "suites"
    (own / "prompts").mkdir(parents=True)
    (own / "prompts" / "instructed.toml").write_text("mine")
    async with opened(home) as pilot:
        await pilot.press("f4")
        await until(lambda: isinstance(pilot.app.screen, Evaluate) and items(pilot).items)
        for name in ("General", "Instructions"):
            pilot.app.screen.query_one(Input).value = f"{name} ships"
            await until(lambda: items(pilot).chosen is not None)
            await pilot.press("ctrl+o")
            await until(lambda: "Edit a copy of this suite?" in screen_text(pilot))
            await pilot.press("enter")
            await until((own / f"{name.lower()}.toml").exists)
    assert len(suite_variants(load_suite(own / "general.toml"), Defaults())) == 5
    assert (own / "prompts" / "instructed.toml").read_text() == "mine"


def test_prompts_beside_suites_are_none_and_each_suite_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    path = write_suite(tmp_path / "real", 2)
    (tmp_path / "real" / "ask.toml").write_text('name = "Ask"\nuser = "{{ message }}"\n')
    (tmp_path / "real" / "broken.toml").write_text("checks = 5\n")
    found = find_suites([tmp_path / "link"], [path, path])
    own = [(it.path.name, it.origin) for it in found if it.origin != "ships"]
    assert own == [("broken.toml", "yours"), ("suite.toml", "yours")]
    heading = listed_items(found, [], "", {}, tmp_path)[0]
    assert isinstance(heading, Heading) and str(tmp_path) in heading.text


def test_all_files_that_those_that_ship_name_are_found() -> None:
    found = {it for path in shipped_suites() for it in files_of(path)}
    there = {it for it in shipped_suites()[0].parent.rglob("*") if it.suffix in (".toml", ".jsonl")}
    assert found == there
