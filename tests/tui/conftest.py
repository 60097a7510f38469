"""A prompt of one's own, and a terminal of the size that a test says."""

from pathlib import Path

import pytest

from .app import OWN_PROMPT


@pytest.fixture(autouse=True)
def own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual leaves the size of the last picture it took in the environment."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)


@pytest.fixture(autouse=True)
def own_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the tests are run in: nothing is copied into somebody's tmux."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The file of a prompt of one's own."""
    path = tmp_path / "mine.toml"
    path.write_text(OWN_PROMPT)
    return path
