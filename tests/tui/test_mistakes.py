"""Work behind a screen that fails as it never should is told, and the screen goes on."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.screens.library import Library

from ..conftest import until
from .app import StillApp, opened, run_over, screen_text, told


async def _wrong() -> None:
    raise RuntimeError("oddity")


@pytest.mark.parametrize("keys", [[], ["f3"], ["f9"], ["escape", "p"]])
async def test_a_mistake_is_told_wherever_one_is(
    tmp_path: Path, keys: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """On the playground, a screen with a place for it, one without, and in a dialog."""
    async with StillApp(tmp_path).run_test() as pilot:
        before = pilot.app.screen
        for key in keys:
            await pilot.press(key)
        await until(lambda: not keys or pilot.app.screen is not before)
        screen = pilot.app.screen
        await until(lambda: not isinstance(screen, Library) or "ready" in screen_text(pilot))
        screen.run_worker(_wrong(), exit_on_error=False)
        await until(lambda: "oddity" in screen_text(pilot) + told(pilot))
        assert pilot.app.is_running and pilot.app.screen is screen
    assert "Traceback" in caplog.text and "RuntimeError: oddity" in caplog.text


async def test_what_cannot_run_says_what_happened_where_and_what_to_do(
    home: Path, base: Path, support: Path, tmp_path: Path
) -> None:
    """A prompt that is wrong, an adapter and a model that are gone, a broken file: at 80 columns."""
    (home / "prompts").mkdir()
    (home / "prompts" / "broken.toml").write_text('name = "Broken"\nuser = \n')
    wrong, adapter, model = (tmp_path / it for it in ("wrong.toml", "gone.gguf", "lost.gguf"))
    wrong.write_text('name = "Wrong"\nuser = "Hi"\n[output]\ngrammar = "root ::= foo"\n')
    shutil.copyfile(support, adapter)
    shutil.copyfile(base, model)
    specs = [f"prompt={wrong}", f"adapter={adapter}", f"model={model}"]
    variants = make_variants(Defaults(prompt="tell-me-about"), specs)
    adapter.unlink()
    model.unlink()
    said = {
        "A": "The grammar does not parse: failed to parse grammar. It is in the prompt's file: ctrl+o opens that.",
        "B": "gone.gguf does not exist: press a (after esc) for other adapters, or put it back and press F5.",
        "C": "lost.gguf does not exist: press m (after esc) for another base model, or put it back and press F5.",
    }  # fmt: skip

    def says(sentence: str) -> bool:
        """Wherever its lines are broken: how long the paths are is up to the machine."""
        shown = screen_text(pilot).replace("▌", " ")
        return "".join(sentence.split()) in "".join(shown.split())

    async with opened(home, variants, size=(80, 24)) as pilot:
        await run_over(pilot, "escape", "f5")
        for name, sentence in said.items():
            await pilot.press(str(ord(name) - 64))
            await until(lambda sentence=sentence: says(sentence))
        assert says("failed (file is gone)")
        where = (
            "broken.toml, line 2: not valid TOML: invalid value (column 8). Mend it in an editor"
        )
        await pilot.press("p", *"broken")
        await until(lambda: says(where) and says("then open this list again."))
        await pilot.press("escape", "f3")
        await until(lambda: isinstance(pilot.app.screen, Library))
        pilot.app.screen.query_one(Input).value = "broken"
        await pilot.press("tab", "tab")
        await until(lambda: says(where) and says("F5 looks again."))
