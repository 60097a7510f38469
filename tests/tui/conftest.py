"""A prompt of one's own."""

from pathlib import Path

import pytest

from .app import OWN_PROMPT


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The file of a prompt of one's own."""
    path = tmp_path / "mine.toml"
    path.write_text(OWN_PROMPT)
    return path
