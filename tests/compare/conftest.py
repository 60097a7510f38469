"""Processes that start warm."""

import pytest

from ..warm import warm


@pytest.fixture(autouse=True)
def warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's worker and the template helper start warm."""
    warm(monkeypatch)
