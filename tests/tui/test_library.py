"""The Library: what is on this disk is found, filtered, sorted, explained and taken."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.catalog import Catalog
from llamadiff.tui.details import of_entry
from llamadiff.tui.keys import (
    APP_KEYS,
    EDITOR_KEYS,
    LIBRARY_KEYS,
    PLAYGROUND_KEYS,
    SEARCHED_KEYS,
    VERSION_KEYS,
)
from llamadiff.tui.library import COLUMNS, arranged, fitting
from llamadiff.tui.screens.help import HelpScreen
from llamadiff.tui.screens.library import Library
from llamadiff.tui.widgets.entry_table import EntryTable

from ..conftest import until
from .app import StillApp, opened, output, playground, run_over, screen_text
from .still_catalog import ADAPTERS, MODELS
from .test_layout import SIZES, settle


def library(pilot: Pilot[None]) -> Library:
    screen = pilot.app.screen
    assert isinstance(screen, Library)
    return screen


def shown(pilot: Pilot[None]) -> list[str]:
    return [entry.name for entry in library(pilot).query_one(EntryTable).entries]


async def look(pilot: Pilot[None]) -> None:
    """Open the library and wait until everything has been found."""
    await pilot.press("f3")
    await until(lambda: isinstance(pilot.app.screen, Library) and "● ready" in screen_text(pilot))


# ------------------------------------------------------------------ what it looks like


@pytest.mark.parametrize("size", SIZES, ids=["120x40", "80x24"])
@pytest.mark.parametrize("keys", [["greater_than_sign"] * 4, ["tab", "down"]], ids=["models", "adapters"])  # fmt: skip
def test_library_looks_like_this(
    tmp_path: Path, snap_compare: Callable[..., bool], fixed: None,
    size: tuple[int, int], keys: list[str],
) -> None:  # fmt: skip
    async def open_it(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await look(pilot)
        pilot.app.screen.query_one(Input).cursor_blink = False
        await pilot.press(*keys)
        await settle_library(pilot)

    assert snap_compare(StillApp(tmp_path), terminal_size=size, run_before=open_it)


async def settle_library(pilot: Pilot[None]) -> None:
    for _ in range(3):
        await pilot.pause(0.1)


@pytest.mark.parametrize("size", [(60, 16), (100, 24), (200, 60), (30, 6)], ids=str)
async def test_it_fits_every_terminal(tmp_path: Path, fixed: None, size: tuple[int, int]) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        await pilot.press("escape", "f3")
        await until(lambda: isinstance(pilot.app.screen, Library))
        if size[0] >= 60:
            await until(lambda: "demo-6m" in screen_text(pilot) and "F1 help" in screen_text(pilot))
        await pilot.resize_terminal(120, 40)
        await until(lambda: "qwen2.5-coder:7b" in screen_text(pilot))


# --------------------------------------------------------------------------- the keys


async def test_f3_opens_it_from_the_editor_and_f2_and_escape_leave(
    tmp_path: Path, fixed: None
) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        await pilot.press("f2")
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("ctrl+p")
        await pilot.press("f3")
        await until(lambda: isinstance(pilot.app.screen, Library))
        await pilot.press("f3")
        assert len(pilot.app.screen_stack) == 2
        await pilot.press("x", "escape")
        assert isinstance(pilot.app.screen, Library), "the first escape takes the filter back"
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_typing_filters(tmp_path: Path, fixed: None) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        await pilot.press(*"q4_k instr")
        assert shown(pilot) == ["Llama-3.2-1B-Instruct-Q4_K_M"]
        assert "1 of 1" in screen_text(pilot)
        await pilot.press("z")
        await until(lambda: "Nothing fits the filter" in screen_text(pilot))
        await pilot.press("enter", "up", "pagedown")
        await pilot.press("ctrl+u")
        assert len(shown(pilot)) == len(MODELS)


async def test_columns_are_sorted_by_key(tmp_path: Path, fixed: None) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        assert shown(pilot) == [entry.name for entry in MODELS], "as found"
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert "params▼" in screen_text(pilot)
        assert shown(pilot) == [
            "qwen2.5-coder:7b", "Phi-4-mini-instruct-Q6_K", "Llama-3.2-1B-Instruct-Q4_K_M",
            "demo-6m", "old", "mmproj-F16",
        ]  # fmt: skip
        await pilot.press("equals_sign")
        assert shown(pilot)[0] == "demo-6m" and shown(pilot)[-2:] == ["old", "mmproj-F16"]
        await pilot.press("less_than_sign")
        assert "name▲" in screen_text(pilot) and shown(pilot)[0] == "demo-6m"
        assert library(pilot).query_one(Input).value == ""


async def test_tab_goes_to_adapters_and_the_problem_is_told_in_full(
    tmp_path: Path, fixed: None
) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        await pilot.press("tab", "down")
        assert shown(pilot) == ["support", "tone"]
        await until(lambda: "whole model." in " ".join(screen_text(pilot).split()))
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Library), "what cannot be used is not taken"
        await pilot.press("shift+tab")
        details = library(pilot).query_one("#library-details")
        assert details.has_focus
        await pilot.resize_terminal(80, 24)
        await pilot.press("down", "down")
        await until(lambda: details.scroll_y == 2)
        assert library(pilot).query_one(EntryTable).chosen == ADAPTERS[1]
        await pilot.press("escape")
        assert library(pilot).query_one(Input).has_focus


async def test_the_ways_out_are_told_on_a_small_terminal(tmp_path: Path, fixed: None) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await look(pilot)
        for place, other in (("esc back", "⇧tab details"), ("esc back", "⇧tab list")):
            last = screen_text(pilot).splitlines()[-1]
            assert place in last and other in last, last
            await pilot.press("shift+tab")
            await pilot.pause()


async def test_help_and_palette_know_it(tmp_path: Path, fixed: None) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        await pilot.press("f1")
        await until(lambda: isinstance(pilot.app.screen, HelpScreen))
        text = " ".join(screen_text(pilot).split())
        assert "the models and adapters on this disk" in text
        assert "Sort by the column to the right" in text
        assert "↑ ↓ The line above or below" in text and "editor" not in text
        await pilot.press("f1", "ctrl+p", *"look again")
        await until(lambda: "Look through all places again" in screen_text(pilot))


def test_its_bindings_have_ids_of_their_own() -> None:
    bindings = [
        *APP_KEYS,
        *PLAYGROUND_KEYS,
        *EDITOR_KEYS,
        *VERSION_KEYS,
        *LIBRARY_KEYS,
        *SEARCHED_KEYS,
    ]
    assert all(binding.id and binding.tooltip for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(bindings)


# ------------------------------------------------------------------------ real files


def one() -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), ["label=plain"])


def gpt4all(file: str) -> Path:
    path = Path(os.environ["HOME"]) / ".cache" / "gpt4all" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


async def test_a_model_and_an_adapter_are_taken_and_run(
    home: Path, base: Path, support: Path
) -> None:
    shutil.copy(base, gpt4all("own-model.gguf"))
    shutil.copy(support, gpt4all("own-adapter.gguf"))
    async with opened(home, one()) as pilot:
        await pilot.press("escape")
        await look(pilot)
        await pilot.press(*"own")
        await until(lambda: "its own" in screen_text(pilot), 20)
        shown = screen_text(pilot)
        assert "vocabulary" in shown and "fits: 13.9 MB of " in shown
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        variant = playground(pilot).playground.current
        assert variant is not None
        assert (variant.model_name, variant.model) == ("own-model", gpt4all("own-model.gguf"))
        await look(pilot)
        await pilot.press("tab", *"own", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        variant = playground(pilot).playground.current
        assert variant is not None and variant.stack == "own-adapter@1"
        await look(pilot)
        await pilot.press("tab", *"own", "enter")
        await until(lambda: "has own-adapter already" in " ".join(screen_text(pilot).split()))
        await pilot.press("f2")
        await run_over(pilot, "f5")
        assert output(pilot, "A").text


async def test_an_adapter_that_does_not_fit_is_told(home: Path, support: Path) -> None:
    gpt4all("other.gguf").write_bytes(support.read_bytes().replace(b"llama", b"qwen2", 1))
    async with opened(home, one()) as pilot:
        await pilot.press("escape")
        await look(pilot)
        await pilot.press("tab", *"other", "enter")
        await until(lambda: "qwen2" in library(pilot).query_one(".entry-problem").render().plain)
        variant = playground(pilot).playground.current
        assert variant is not None and variant.adapters == ()


async def test_a_model_of_ollama_is_never_called_by_its_blob(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(MODELS[2], path=f"/m/blobs/sha256-{'a' * 64}")
    monkeypatch.setattr(Catalog, "scan", lambda self, on_progress=None: None)
    monkeypatch.setattr(Catalog, "models", lambda self: [gone])
    async with opened(home, one()) as pilot:
        await pilot.press("escape")
        await look(pilot)
        said = pilot.app.screen.query_one(".entry-problem", Static)
        sentence = "✗ qwen2.5-coder:7b does not exist; check the path."
        await until(lambda: str(said.content) == sentence)
        await pilot.press("enter")
        await until(lambda: str(said.content) == sentence)


async def test_looking_does_not_hold_up_the_keys_and_can_be_done_again(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    real = Catalog.scan

    def slowly(self: Catalog, on_progress: Callable[[int, int], None] | None = None) -> None:
        assert on_progress is not None
        on_progress(1250, 5000)
        going.wait(30)
        real(self, on_progress)

    monkeypatch.setattr(Catalog, "scan", slowly)
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("f3")
        await until(lambda: "looking 1,250 of 5,000 files" in screen_text(pilot))
        await pilot.press(*"own")
        assert library(pilot).query_one(Input).value == "own"
        going.set()
        await until(lambda: "● ready" in screen_text(pilot))
        assert shown(pilot) == []
        shutil.copy(base, gpt4all("own-model.gguf"))
        await pilot.press("f5")
        await until(lambda: shown(pilot) == ["own-model"])


async def test_leaving_while_it_looks_is_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    monkeypatch.setattr(Catalog, "scan", lambda self, on_progress=None: going.wait(30))
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("f3", "escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        going.set()
        await pilot.pause(0.2)
        assert pilot.app.screen is playground(pilot)


async def test_thousands_of_entries_are_walked_and_filtered(
    tmp_path: Path, fixed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [replace(MODELS[0], name=f"m-{i}", path=f"/m/{i}.gguf") for i in range(5000)]
    monkeypatch.setattr(Catalog, "models", lambda self: many)
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await look(pilot)
        await pilot.press("pagedown", "pagedown", "down")
        assert "of 5,000" in screen_text(pilot)
        await pilot.press(*"m-49", "pagedown")
        assert len(shown(pilot)) == 111
        await pilot.press("f2", "escape", "m")
        await until(lambda: "m-10" in screen_text(pilot))
        await pilot.press(*"m-4999")
        await until(lambda: "m-4999" in screen_text(pilot) and "m-10" not in screen_text(pilot))


# ----------------------------------------------------------------------- pure functions


def test_words_fit_anywhere_and_all_of_them() -> None:
    assert [e.name for e in fitting(MODELS, "OLLAMA q4")] == ["qwen2.5-coder:7b"]
    assert [e.name for e in fitting(ADAPTERS, "meta/llama")] == ["tone"]
    in_path = replace(MODELS[0], path="/m/phi/x.gguf")
    assert [e.name for e in fitting([in_path, MODELS[3]], "phi")] == [MODELS[3].name, "demo-6m"]
    assert fitting(MODELS, "ollama lmstudio") == []


def test_every_column_sorts_and_has_words() -> None:
    for tab, entries in (("models", MODELS), ("adapters", ADAPTERS)):
        for column in COLUMNS[tab]:
            for descending in (False, True):
                ordered = arranged(entries, column, descending=descending)
                assert len(ordered) == len(entries) and ordered[-1].problem
            assert all(column.text(entry) for entry in entries)


def test_names_are_data(tmp_path: Path) -> None:
    evil = replace(MODELS[0], name="\x1b[2Jx[bold]", architecture="\x07")
    assert all("\x1b" not in column.text(evil) for column in COLUMNS["models"])
    assert json.dumps(of_entry(evil))
