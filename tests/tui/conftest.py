"""A prompt of one's own, a terminal of the size that a test says, and what makes an app cheap."""

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from llamadiff.compare.variants import Variant
from llamadiff.models.catalog.listing import Catalog
from llamadiff.tui import services

from ..warm import warm
from .app import OWN_PROMPT

PAINTED_EVERY_S = 0.5
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


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
def seldom_painted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no terminal shows is painted now and then only, unless the test is marked `painted`.

    A test that looks at the screen has all of it drawn; layouts and styles are as ever.
    """
    if request.node.get_closest_marker("painted"):
        return
    paint, last = Compositor.render_update, 0.0

    def render_update(self: Compositor, full: bool = False, **options: Any) -> Any:
        nonlocal last
        if not full and monotonic() - last < PAINTED_EVERY_S:
            return None  # what changed stays so for the next time
        last = monotonic()
        return paint(self, full, **options)

    monkeypatch.setattr(Compositor, "render_update", render_update)


@pytest.fixture(autouse=True)
def style_sheets_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps share what was made of a style sheet, which nothing changes."""
    parse = Stylesheet._parse_rules

    def parsed(self: Stylesheet, css: str, *where: Any, **options: Any) -> list[RuleSet]:
        key = (css, where, *sorted(options.items()), *sorted(self._variables.items()))
        if key not in _parsed:
            _parsed[key] = parse(self, css, *where, **options)
        return _parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed)


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ready variants say 64 tokens at most: the article of one would take five times that."""
    ready = services.ready_variants

    def short(catalog: Catalog, model: str) -> list[Variant]:
        made = ready(catalog, model)
        return [replace(it, sampling={**it.sampling, "max_tokens": 64}) for it in made]

    monkeypatch.setattr(services, "ready_variants", short)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The file of a prompt of one's own."""
    path = tmp_path / "mine.toml"
    path.write_text(OWN_PROMPT)
    return path
