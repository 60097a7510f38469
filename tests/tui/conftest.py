"""A prompt of one's own, a terminal of the size that a test says, and processes that start warm."""

from pathlib import Path

import pytest

from ..warm import warm
from .app import OWN_PROMPT


@pytest.fixture(autouse=True)
def own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual leaves the size of the last picture it took in the environment."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)


@pytest.fixture(autouse=True)
def warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's worker and the template helper of an app in this process start warm."""
    warm(monkeypatch)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The file of a prompt of one's own."""
    path = tmp_path / "mine.toml"
    path.write_text(OWN_PROMPT)
    return path
