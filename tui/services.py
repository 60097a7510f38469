"""The processes behind the app: the engine and the template helper, and the runner over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.runner import Runner
    from ..compare.variants import Variant
    from ..models.catalog import Catalog
    from .setup import Setup


class Services:
    """Started once the first frame is on the screen, closed with the app."""

    def __init__(self, setup: Setup, on_death: Callable[[str], None]) -> None:
        self._setup = setup
        self._on_death = on_death
        self._runner: Runner | None = None
        self._starting = asyncio.Lock()

    async def runner(self) -> Runner:
        """The runner; the first call imports and starts what it needs. Raises EngineError."""
        async with self._starting:
            if self._runner is None:
                await asyncio.to_thread(_import)
                from ..compare.runner import Runner
                from ..models.engine.client import Engine
                from ..prompts.rendering.helper import Renderer

                kept = self._setup.cache_dir / "prompts" if self._setup.state_dir else None
                memory = self._setup.configured.config.memory_bytes
                log = self._setup.log_dir / "engine.log"
                engine = Engine(log, prompts=kept, memory=memory)
                engine.on_death = self._on_death
                renderer = Renderer()
                self._runner = Runner(
                    engine,
                    renderer,
                    cache_dir=self._setup.cache_dir,
                    settings=self._setup.settings,
                    own=self._setup.own_settings,
                )
                renderer.warm()
        await self._runner.engine.start()
        return self._runner

    async def close(self) -> None:
        """End both processes."""
        if self._runner is not None:
            self._runner.engine.on_death = None
            self._runner.renderer.close()
            await self._runner.engine.close()


def _import() -> None:
    """Load what the runner needs, off the event loop."""
    from ..compare import runner
    from ..compare.diff import live
    from ..compare.history import adopt, database, history
    from ..models.gguf import check

    del runner, check, adopt, database, history
    live.diff("a", "b", "char")


def import_history() -> None:
    """Load what the history needs, off the event loop."""
    from ..compare.history import history
    from .screens import history as screen

    del history, screen


def made_ready(catalog: Catalog, model: str) -> list[Variant]:
    """The ready variants, and what their panes need loaded, off the event loop. Raises as they do."""
    from .widgets import output_pane

    del output_pane
    return ready_variants(catalog, model)


def ready_variants(catalog: Catalog, model: str) -> list[Variant]:
    """What the app opens with when nothing was asked for: two prompts, and on the bundled model,
    where `model` is empty, an adapter.

    Raises ModelError or PromptError when the model or the bundled files are not there.
    """
    from ..compare.spec import Defaults, make_variants

    prompts = ["prompt=tell-me-about", "prompt=informative-article"]
    if model:
        return make_variants(Defaults(model, catalog=catalog), prompts)
    return make_variants(Defaults(), [*prompts, "prompt=tell-me-about,adapter=support"])
