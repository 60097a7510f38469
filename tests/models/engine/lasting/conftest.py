"""Tests of files that share an engine: none of them ends its worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from llamadiff.models.engine.client import Engine, LoadedModel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They run on the event loop that the engine was started on."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "engine" in getattr(item, "fixturenames", ()):  # fmt: skip
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """A real engine for all tests of a file: a start takes 0.3 s."""
    it = Engine(tmp_path_factory.mktemp("engine") / "engine.log")
    yield it
    await it.close()


@pytest_asyncio.fixture(loop_scope="module")
async def model(engine: Engine, base: Path) -> AsyncIterator[LoadedModel]:
    """The bundled model on it, with nothing computed before."""
    it = await engine.load(base)
    yield it
    await engine.unload(base)
