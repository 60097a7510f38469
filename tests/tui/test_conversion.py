"""A PEFT folder that is picked in the app is converted, told with how far it has come."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.adapters.peft_config import CONFIG
from llamadiff.models.catalog import default_model
from llamadiff.models.errors import ModelError
from llamadiff.tui.conversion import readable
from llamadiff.tui.screens.library import Library
from llamadiff.tui.screens.paths import complete
from llamadiff.tui.widgets.facts import Facts

from ..conftest import until
from .app import opened, output, paste, playground, run_over, screen_text
from .peft import write_peft


@pytest.fixture
def peft(home: Path) -> Path:
    """A PEFT folder where the catalog looks."""
    folder = Path(os.environ["HOME"]) / ".cache" / "gpt4all" / "poet"
    folder.parent.mkdir(parents=True)
    return write_peft(folder)


def current(pilot: Pilot[None]) -> Variant:
    variant = playground(pilot).playground.current
    assert variant is not None
    return variant


def shown(pilot: Pilot[None]) -> Sequence[tuple[str, str]]:
    """The details of the chosen entry."""
    return pilot.app.screen.query_one(Facts).facts


def one() -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), ["label=plain"])


async def test_enter_in_the_library_converts_and_takes_it(home: Path, peft: Path) -> None:
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "f3")
        await until(lambda: "● ready" in screen_text(pilot))
        await pilot.press("tab", *"poet")
        await until(lambda: "enter converts it" in dict(shown(pilot)).get("format", ""))
        assert "✗" not in screen_text(pilot)
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        (adapter,) = current(pilot).adapters
        assert adapter.name == "poet" and adapter.path.parent == home / "cache" / "adapters"
        await run_over(pilot, "f5")
        assert output(pilot, "A").text


async def test_what_is_wrong_with_a_folder_is_told_in_the_library(home: Path, peft: Path) -> None:
    config = json.loads((peft / CONFIG).read_text())
    (peft / CONFIG).write_text(json.dumps(config | {"use_dora": True}))
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "f3")
        await until(lambda: "● ready" in screen_text(pilot))
        await pilot.press("tab", *"poet")
        await until(lambda: "DoRA" in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: "checking" not in screen_text(pilot))
        assert isinstance(pilot.app.screen, Library)
        assert "DoRA" in screen_text(pilot) and not current(pilot).adapters


async def test_a_path_typed_for_an_adapter_may_be_a_peft_folder(home: Path, peft: Path) -> None:
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "a")
        await paste(pilot, f"{peft.parent}/po")
        await until(lambda: "[ ] poet" in screen_text(pilot))
        await pilot.press("down", "space")
        await until(lambda: "[x] poet" in screen_text(pilot))
        await pilot.press("left", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert current(pilot).stack == "poet@0.9"
        await pilot.press("a")
        await until(lambda: "[x] poet  ◂0.9▸  PEFT" in screen_text(pilot))
        assert "given" not in screen_text(pilot)
        await pilot.press(*"poet", "down", "space")
        await until(lambda: "[x]" not in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert not current(pilot).adapters


def test_a_peft_folder_is_completed_as_a_whole(peft: Path) -> None:
    start = str(peft.parent)
    assert complete(f"{start}/p", ".gguf") == [f"{peft}/"]
    assert complete(f"{start}/p", ".gguf", CONFIG) == [str(peft)]
    assert complete(f"{peft}/", ".gguf", CONFIG) == [str(peft)]


async def test_nobody_waiting_ends_the_conversion_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "big", rank=2048)
    base, cache = default_model().facts.path, tmp_path / "cache"
    begun = asyncio.Event()
    task = asyncio.create_task(readable(folder, base, cache, lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not list((cache / "adapters").iterdir()))
    heard: list[str] = []
    path = (await readable(folder, base, cache, heard.append)).path
    await until(lambda: heard and heard[-1] in ("converting … 99 %", "converting … 100 %"))
    assert list((cache / "adapters").iterdir()) == [path]


async def test_a_file_is_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "any.gguf"
    assert (await readable(file, file, tmp_path, lambda _: None)).path == file
    tmp_path.joinpath("empty").mkdir()
    with pytest.raises(ModelError, match=CONFIG):
        await readable(tmp_path / "empty", default_model().facts.path, tmp_path, lambda _: None)
