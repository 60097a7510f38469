"""A prompt of one's own, a terminal of the size that a test says, and what makes an app cheap."""

from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.variants import Variant
from llamadiff.models.catalog.listing import Catalog
from llamadiff.tui import services

from ..warm import warm
from .app import OWN_PROMPT
from .cheap import paint_seldom, read_style_sheets_once, style_what_changed
from .still_catalog import fix_catalog


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


@pytest.fixture(autouse=True)
def warm_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's worker and the template helper of an app in this process start warm."""
    warm(monkeypatch)


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps are styled where it matters and painted seldom, but for pictures and tests marked `painted`."""
    if not (request.node.get_closest_marker("painted") or "snapshot" in request.fixturenames):
        paint_seldom(monkeypatch)
    read_style_sheets_once(monkeypatch)
    style_what_changed(monkeypatch)


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ready variants say 64 tokens at most: the article of one would take five times that."""
    ready = services.ready_variants

    def short(catalog: Catalog, model: str) -> list[Variant]:
        made = ready(catalog, model)
        return [replace(it, sampling={**it.sampling, "max_tokens": 64}) for it in made]

    monkeypatch.setattr(services, "ready_variants", short)


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models and adapters that are always the same."""
    fix_catalog(monkeypatch)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The file of a prompt of one's own."""
    path = tmp_path / "mine.toml"
    path.write_text(OWN_PROMPT)
    return path
