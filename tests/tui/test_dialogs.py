"""The dialogs: choosing, completing paths, stacking, sampling; each mistake in words."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.screens.paths import complete, is_path
from llamadiff.tui.screens.picker import Picker
from llamadiff.tui.screens.sampling import SamplingDialog

from ..conftest import until
from .app import opened, output, playground, run_over, screen_text


def one() -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), ["label=plain"])


async def picker(pilot: Pilot[None], key: str) -> Picker[object]:
    """The picker a key opens, filled."""
    await pilot.press("escape", key)
    await until(lambda: isinstance(pilot.app.screen, Picker) and pilot.app.screen.choices)
    screen = pilot.app.screen
    assert isinstance(screen, Picker)
    return screen


def closed(pilot: Pilot[None]) -> bool:
    return pilot.app.screen is playground(pilot)


def current(pilot: Pilot[None]) -> Variant:
    variant = playground(pilot).playground.current
    assert variant is not None
    return variant


def type_in(pilot: Pilot[None], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text


async def test_a_prompt_is_found_by_a_few_letters(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await picker(pilot, "p")
        await pilot.press(*"sent eng", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).prompt.name == "Sentiment, engineered"
        await until(
            lambda: "You sort reviews" in screen_text(pilot) or "review" in screen_text(pilot)
        )


async def test_a_prompt_file_with_a_mistake_is_refused_in_words(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\nusr = "hello"\n')
    async with opened(home, one()) as pilot:
        await picker(pilot, "p")
        type_in(pilot, str(path))
        await pilot.press("enter")
        await until(lambda: "unknown key usr" in " ".join(screen_text(pilot).split()))
        await pilot.press("escape")
        await until(lambda: closed(pilot))


async def test_escape_changes_nothing(home: Path) -> None:
    async with opened(home, one()) as pilot:
        before = current(pilot)
        await picker(pilot, "a")
        await pilot.press("space", "escape")
        await until(lambda: closed(pilot))
        assert current(pilot) == before


async def test_an_adapter_is_taken_with_two_keys_and_runs(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await run_over(pilot, "f5")
        base = output(pilot, "A").tokens
        await picker(pilot, "a")
        await pilot.press(*"support", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).stack == "support@1"
        await run_over(pilot, "f5")
        assert output(pilot, "A").tokens != base


async def test_adapters_are_stacked_and_scaled(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await picker(pilot, "a")
        await pilot.press("space")
        await until(lambda: "◂1▸" in screen_text(pilot))
        await pilot.press("left", "left", "down", "space")
        await until(lambda: "#2" in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: closed(pilot))
        assert [adapter.scale for adapter in current(pilot).adapters] == [0.8, 1.0]
        assert len({adapter.name for adapter in current(pilot).adapters}) == 2


async def test_enter_closes_with_what_is_ticked_and_space_ticks_what_is_filtered(
    home: Path,
) -> None:
    async with opened(home, one()) as pilot:
        await picker(pilot, "a")
        await pilot.press(*"senti", "down", "space")
        await until(lambda: "[x] sentiment" in screen_text(pilot))
        await pilot.press("down", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).stack == "sentiment@1", "the line under the cursor was not ticked"
        await picker(pilot, "a")
        await pilot.press("down", "s", *"uppo", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).stack == "sentiment@1+support@1"
        await picker(pilot, "a")
        await pilot.press(*"support", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).stack == "sentiment@1+support@1", "enter ticks nothing off"
        await picker(pilot, "a")
        await pilot.press("down", "down", "space", "down", "space")
        await until(lambda: "[x]" not in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: closed(pilot))
        assert current(pilot).adapters == ()


async def test_f5_in_the_dialog_takes_what_is_ticked_and_runs(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await picker(pilot, "a")
        await run_over(pilot, *"support", "f5")
        assert closed(pilot) and current(pilot).stack == "support@1"
        assert output(pilot, "A").variant.stack == "support@1" and output(pilot, "A").text


async def test_adapters_that_do_not_fit_are_marked_with_the_reason(
    home: Path, support: Path
) -> None:
    folder = Path(os.environ["HOME"]) / ".cache" / "gpt4all"
    folder.mkdir(parents=True)
    (folder / "foreign.gguf").write_bytes(support.read_bytes().replace(b"llama", b"qwen2", 1))
    async with opened(home, one(), size=(80, 24)) as pilot:
        dialog = await picker(pilot, "a")
        (line,) = [it for it in screen_text(pilot).splitlines() if "foreign" in it]
        assert "[ ] ✗ foreign  foreign is an adapter for qwen2 models" in line and "…" in line
        await pilot.press(*"foreign")
        problem = dialog.query_one("#dialog-problem")
        await until(lambda: problem.display)
        assert "choose an adapter trained on this base." in str(problem.render())
        await pilot.press("enter")
        await until(lambda: "checking" not in screen_text(pilot))
        assert not closed(pilot) and "[x]" not in screen_text(pilot)


async def test_a_reason_of_many_words_is_one_line_in_the_list_of_models(home: Path) -> None:
    folder = Path(os.environ["HOME"]) / ".cache" / "gpt4all"
    folder.mkdir(parents=True)
    (folder / "notes.gguf").write_text("not a model at all " * 20)
    async with opened(home, one(), size=(80, 24)) as pilot:
        dialog = await picker(pilot, "m")
        await until(lambda: "notes" in screen_text(pilot))
        lines = [it for it in screen_text(pilot).splitlines() if "✗ notes" in it]
        assert len(lines) == 1 and "…" in lines[0]
        options = dialog.query_one(OptionList)
        await until(lambda: options.virtual_size.height == options.option_count)
        (reason,) = [it.problem for it in dialog.choices if it.name == "notes"]
        await pilot.press("down")
        problem = dialog.query_one("#dialog-problem")
        await until(lambda: problem.display and reason in str(problem.render()))


async def test_a_path_with_a_scale_is_taken(home: Path, support: Path, tmp_path: Path) -> None:
    own = shutil.copy(support, tmp_path / "mine.gguf")
    async with opened(home, one()) as pilot:
        await picker(pilot, "a")
        type_in(pilot, f"{own}@0.5")
        await pilot.press("enter")
        await until(lambda: closed(pilot))
        (adapter,) = current(pilot).adapters
        assert (adapter.path, adapter.scale) == (Path(own), 0.5)


@pytest.mark.parametrize(
    ("key", "make", "words"),
    [
        ("m", lambda folder, base, adapter: folder / "missing.gguf", "missing.gguf"),
        ("m", lambda folder, base, adapter: adapter, "a in the playground adds it"),
        ("m", lambda folder, base, adapter: text_file(folder), "GGUF"),
        ("m", lambda folder, base, adapter: cut(base, folder), "cut.gguf"),
        ("a", lambda folder, base, adapter: base, "model"),
        ("a", lambda folder, base, adapter: text_file(folder), "GGUF"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_in_words(
    home: Path, tmp_path: Path, base: Path, support: Path, key: str, make: object, words: str
) -> None:
    assert callable(make)
    path = make(tmp_path, base, support)
    async with opened(home, one()) as pilot:
        before = current(pilot)
        dialog = await picker(pilot, key)
        type_in(pilot, str(path))
        await pilot.press("enter")
        problem = dialog.query_one("#dialog-problem")
        await until(lambda: problem.display)
        assert words in str(problem.render())
        await pilot.press("escape")
        await until(lambda: closed(pilot))
        assert current(pilot) == before
        await run_over(pilot, "f5")
        assert output(pilot, "A").text, "the app goes on"


def text_file(folder: Path) -> Path:
    path = folder / "notes.gguf"
    path.write_text("These are notes, not a model.")
    return path


def cut(base: Path, folder: Path) -> Path:
    path = folder / "cut.gguf"
    path.write_bytes(base.read_bytes()[:100_000])
    return path


async def test_a_model_is_opened_by_a_path_completed_with_tab(
    home: Path, base: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my models"
    folder.mkdir()
    shutil.copy(base, folder / "own.gguf")
    async with opened(home, one()) as pilot:
        await picker(pilot, "m")
        type_in(pilot, f"{tmp_path}/my")
        await until(lambda: "my models/" in screen_text(pilot))
        await pilot.press("tab")
        await until(lambda: "own.gguf" in screen_text(pilot))
        await pilot.press("tab", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).model == folder / "own.gguf"
        await run_over(pilot, "f5")
        assert output(pilot, "A").text


async def test_sampling_is_checked_as_it_is_typed_and_used(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "s")
        await until(lambda: isinstance(pilot.app.screen, SamplingDialog))
        await until(lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"many")
        await until(lambda: "max_tokens must be a whole number" in screen_text(pilot))
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, SamplingDialog), "a mistake is not taken"
        await pilot.press("ctrl+u", *"3", "down", *"7", "enter")
        await until(lambda: closed(pilot))
        assert current(pilot).sampling == {"max_tokens": 3}
        assert "seed 7" in screen_text(pilot)
        await run_over(pilot, "f5")
        assert len(output(pilot, "A").tokens) == 3
        assert output(pilot, "A").seed == 7
        assert "length" in screen_text(pilot)


async def test_a_label_names_a_variant(home: Path) -> None:
    async with opened(home, one()) as pilot:
        await pilot.press("escape", "l")
        await until(lambda: not closed(pilot) and isinstance(pilot.app.focused, Input))
        type_in(pilot, "first try")
        await pilot.press("enter")
        await until(lambda: "first try" in screen_text(pilot))


def test_completion_offers_folders_and_files_of_the_kind(tmp_path: Path) -> None:
    (tmp_path / "Models").mkdir()
    (tmp_path / "model.gguf").touch()
    (tmp_path / "model.txt").touch()
    (tmp_path / ".hidden.gguf").touch()
    start = f"{tmp_path}/"
    assert complete(start + "mod", ".gguf") == [start + "Models/", start + "model.gguf"]
    assert complete(start + ".h", ".gguf") == [start + ".hidden.gguf"]
    assert complete(start + "no/such", ".gguf") == []


def test_what_looks_like_a_path() -> None:
    assert all(map(is_path, ["/x", "~/x", "./x", "a/b", "."]))
    assert not any(map(is_path, ["", "demo", "demo-6m"]))
