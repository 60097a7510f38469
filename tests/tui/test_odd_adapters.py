"""What is odd about an adapter on its base is said wherever the two are put together."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.models.adapters import convert as converting
from llamadiff.models.catalog import default_model
from llamadiff.models.hashing import model_sha256
from llamadiff.tui.screens.playground import Playground

from ..conftest import until
from .app import opened, paste, screen_text
from .peft import write_peft
from .test_cli import llamadiff

BASE = "demo-6m-Q8_0"


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An adapter that was converted for another file than the bundled model."""
    out = tmp_path / "odd.gguf"
    with monkeypatch.context() as patched:
        patched.setattr(converting, "model_sha256", lambda *_: "1" * 64)
        folder = write_peft(tmp_path / "peft")
        converting.convert(folder, out, default_model().facts, cache_dir=tmp_path / "other")
    return out


def told(pilot: Pilot[None]) -> list[str]:
    """The messages over the screen."""
    return [it.message for it in pilot.app._notifications]


def test_inspect_and_merge_hash_the_base(odd: Path, tmp_path: Path) -> None:
    done = llamadiff("inspect", str(odd), "--base", BASE)
    assert done.returncode == 0 and done.stdout.count("is another file") == 1
    assert '"odd": [' in llamadiff("inspect", str(odd), "--base", BASE, "--json").stdout
    done = llamadiff("merge", BASE, "-a", str(odd), "-o", str(tmp_path / "out.gguf"))
    assert done.returncode == 0 and done.stderr.count("is another file") == 1


def test_run_and_diff_say_it_once_where_the_hash_is_known(odd: Path, home: Path) -> None:
    asked = ["-p", "tell-me-about", "--set", "max_tokens=4"]
    variants = ["--variant", f"adapter={odd}", "--variant", f"adapter={odd}@0.5"]
    assert "another file" not in llamadiff("run", *asked, "-a", str(odd)).stderr
    model_sha256(default_model().facts.parts, home / "cache")
    for command in ("run", "diff"):
        done = llamadiff(command, *asked, *variants)
        assert done.stderr.count("is another file") == 1, done.stderr
        assert "another file" not in done.stdout


async def test_the_dialog_says_it(odd: Path, home: Path) -> None:
    default = default_model().facts
    model_sha256(default.parts, home / "cache")
    variants = make_variants(Defaults(prompt="tell-me-about"), ["label=plain"])
    async with opened(home, variants) as pilot:
        await pilot.press("escape", "a")
        await paste(pilot, str(odd))
        await pilot.press("enter")
        await until(lambda: any("is another file" in it for it in told(pilot)))
        await until(lambda: "odd@1" in screen_text(pilot))


async def test_the_library_tells_settings_that_nobody_knows(home: Path, tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "poet", new_thing=True)
    variants = make_variants(Defaults(prompt="tell-me-about"), ["label=plain"])
    async with opened(home, variants) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, Playground)
        assert await screen.use_adapter("poet", folder, lambda _: None) == ""
        await until(lambda: any("sets new_thing" in it for it in told(pilot)))
