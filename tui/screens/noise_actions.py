"""What opens the noise floor, runs what it takes, and has what is there judged by itself."""

from __future__ import annotations

from collections.abc import Iterable

from textual import work

from ...compare.enough import LEAST
from ..repeats import MOST
from ..widgets.output_board import OutputBoard
from .repeat_actions import RepeatActions

OFFERED = 8
"""Outputs of each variant that a person is offered."""


class NoiseActions(RepeatActions):
    """The part of the playground that tells differences from noise."""

    def start(self, names: Iterable[str] | None = None, reply: str | None = None) -> None:
        """Told to run these variants."""
        raise NotImplementedError

    def judge_soon(self) -> None:
        """Have the outputs judged that can be and are not."""
        if not self.session.running and self.playground.noise.due:
            self._judge()

    @work(group="judge", exclusive=True, exit_on_error=False)
    async def _judge(self) -> None:
        await self.playground.noise.judge()
        self.query_one(OutputBoard).show()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_noise(self) -> None:
        from ..noise_words import left_out_words, unanswered_words
        from .how_many import HowMany
        from .noise_floor import NoiseFloorScreen

        state = self.playground
        if self.session.running:
            self.app.notify("A run is under way; {run.stop} stops it.", timeout=3)
            return
        if len(state.names) < 2:
            self.app.notify("This compares two variants; {variant.add} adds one.", timeout=4)
            return
        if not state.noise.possible:
            self.app.notify(left_out_words(state.noise.left_out), timeout=5)
            return
        if state.noise.all_there:
            again = await self.app.push_screen_wait(NoiseFloorScreen(self.session))
            self.query_one(OutputBoard).show()
            if not again:
                return
        if silent := state.noise.unanswered:
            self.app.notify(unanswered_words(silent), timeout=8)
        title = f"How many outputs of each variant, to tell differences from noise? From {LEAST}."
        number = state.repeats if state.repeats >= LEAST else OFFERED
        count = await self.app.push_screen_wait(HowMany(title, number, LEAST, MOST))
        if count is not None:
            self.repeat_from_now_on(count)
            self.start()
            self.app.notify(
                "The panes say what is noise; {repeats.noise} then shows all of it.", timeout=5
            )
