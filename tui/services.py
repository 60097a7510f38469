"""The processes behind the app: the engine and the template helper, and the runner over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .setup import Setup

if TYPE_CHECKING:
    from ..compare.runner import Runner
    from ..compare.variants import Variant
    from ..models.engine.protocol import ModelSettings


class Services:
    """Started once the first frame is on the screen, closed with the app."""

    def __init__(self, setup: Setup, on_death: Callable[[str], None]) -> None:
        self._setup = setup
        self._on_death = on_death
        self._runner: Runner | None = None
        self._starting = asyncio.Lock()

    @property
    def settings(self) -> ModelSettings | None:
        """How base models are loaded."""
        return self._setup.settings

    async def runner(self) -> Runner:
        """The runner; the first call imports and starts what it needs. Raises EngineError."""
        async with self._starting:
            if self._runner is None:
                await asyncio.to_thread(_import)
                from ..compare.runner import Runner
                from ..models.engine.client import Engine
                from ..prompts.rendering.helper import Renderer

                kept = self._setup.cache_dir / "prompts" if self._setup.state_dir else None
                engine = Engine(self._setup.log_dir / "engine.log", prompts=kept)
                engine.on_death = self._on_death
                renderer = Renderer()
                self._runner = Runner(
                    engine,
                    renderer,
                    cache_dir=self._setup.cache_dir,
                    settings=self._setup.settings,
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


def ready_variants() -> list[Variant]:
    """What the app opens with when nothing was asked for: two prompts, and an adapter.

    Raises ModelError or PromptError when the bundled files are not there.
    """
    from ..compare.spec import Defaults, make_variants

    return make_variants(
        Defaults(),
        [
            "prompt=tell-me-about",
            "prompt=informative-article",
            "prompt=tell-me-about,adapter=support",
        ],
    )
