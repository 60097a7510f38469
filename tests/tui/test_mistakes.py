"""Work behind a screen that fails as it never should is told, and the screen goes on."""

from pathlib import Path

import pytest

from ..conftest import until
from .app import StillApp, screen_text, told


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
        screen.run_worker(_wrong(), exit_on_error=False)
        await until(lambda: "oddity" in screen_text(pilot) + told(pilot))
        assert pilot.app.is_running and pilot.app.screen is screen
    assert "Traceback" in caplog.text and "RuntimeError: oddity" in caplog.text
