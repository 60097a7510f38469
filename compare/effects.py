"""Which adapter stacks change nothing that is sure: measured behind the runs, once for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..models.engine.client import Engine, EngineError
from ..models.engine.loads import LoadedModel
from ..models.engine.protocol import AdapterUse, ModelSettings, file_version
from ..models.errors import ModelError
from .run import Output, State

if TYPE_CHECKING:
    from ..models.adapters.effect import Effect, Probe
    from .variants import Variant

FAR = 4.0
"""An effect this many times as large as none can be is not measured again at another scale."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Measured:
    uses: tuple[AdapterUse, ...]
    effect: Effect

    def covers(self, uses: tuple[AdapterUse, ...]) -> bool:
        """Whether the stack at these scales surely changes something, or was what was measured.

        An effect grows about as the scales do.
        """
        from ..models.adapters.effect import NOISE

        if uses == self.uses:
            return True
        least = min(
            abs(new.scale / old.scale) if old.scale else 0.0
            for new, old in zip(uses, self.uses, strict=True)
        )
        none = NOISE * self.effect.noise
        return not self.effect.within_rounding and self.effect.logit * least > FAR * none


class Effects:
    """Measures stacks of adapters on one engine, one after the other. Use from one asyncio loop."""

    def __init__(self, engine: Engine, settings_of: Callable[[Variant], ModelSettings]) -> None:
        self._engine, self._settings_of = engine, settings_of
        self._probes: dict[int, Probe] = {}
        self._known: dict[tuple[int, tuple[tuple[str, str], ...]], list[_Measured]] = {}
        self._turn = asyncio.Lock()

    async def mark(self, outputs: Iterable[Output]) -> bool:
        """Set `no_effect` of the finished outputs whose adapters change nothing, or no more than
        rounding does; True if any is so.

        What cannot be measured is left as it is.
        """
        marked = False
        for output in outputs:
            if output.state is State.DONE and output.variant.adapters:
                async with self._turn:
                    output.no_effect = await self._verdict(output.variant)
                marked |= bool(output.no_effect)
        return marked

    async def _verdict(self, variant: Variant) -> str:
        model = self._engine.resident(variant.model, self._settings_of(variant))
        if model is None:
            return ""
        uses = tuple(
            AdapterUse(str(it.path), it.scale, file_version(it.path)) for it in variant.adapters
        )
        key = model.key, tuple((use.path, use.version) for use in uses)
        known = self._known.setdefault(key, [])
        for measured in known:
            if measured.covers(uses):
                return measured.effect.verdict(len(uses))
        try:
            effect = await (await self._probe(model)).effect(uses)
        except (ModelError, EngineError) as error:
            log.warning("the effect of %s is unknown: %s", variant.stack, error)
            return ""
        known.append(_Measured(uses, effect))
        return effect.verdict(len(uses))

    async def _probe(self, model: LoadedModel) -> Probe:
        from ..models.adapters.effect import Probe

        if model.key not in self._probes:
            self._probes = {model.key: await Probe.of(self._engine, model)}
        return self._probes[model.key]
