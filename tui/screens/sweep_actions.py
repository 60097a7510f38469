"""What opens the sweep from the playground, and takes the value that was chosen in it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ..sweeping import Taken
    from .sweep import SweepScreen


class SweepActions(VariantActions):
    """The part of the playground that sweeps a variant over a range of values."""

    _swept: SweepScreen | None = None
    """The sweep looked at last."""

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_sweep(self) -> None:
        variant = self.playground.current
        if variant is None:
            return
        await asyncio.to_thread(_import)
        from .sweep import SweepScreen

        before = self._swept.sweeping if self._swept is not None else None
        if before is not None and not before.fits(variant):
            before = None
        self._swept = SweepScreen(self.session, variant, before)
        taken = await self.app.push_screen_wait(self._swept)
        if taken is not None:
            self._take_swept(taken)

    def _take_swept(self, taken: Taken) -> None:
        """Have the chosen value as a variant, with what it said."""

        from ...compare.run import Run

        playground = self.playground
        source = playground.current
        if source is None:
            return
        own = taken.variant.adapters == source.adapters
        label = taken.variant.label if own else ""
        like = replace(taken.variant, name=source.name, label=label)
        made = playground.add(like=like)
        if made is None:
            self.app.notify("There is no room for another variant.", timeout=4)
            return
        if taken.outputs:
            outputs = [output.taken_by(made) for output in taken.outputs]
            values = playground.values.known_to([made])
            run = Run((made,), values, playground.exact, outputs=outputs)
            playground.started(run, playground.seed)
            playground.repeating.choose(outputs[taken.shown])
        self.list_changed([] if taken.outputs else [made.name])
        self.app.notify(
            f"{made.name} has {taken.variant.label}; {{variant.undo}} takes it back.", timeout=4
        )


def _import() -> None:
    """Load what the screen needs, off the event loop."""
    from . import sweep

    del sweep
