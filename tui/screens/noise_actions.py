"""What opens the noise floor, runs what it takes, and has what is there judged by itself."""

from __future__ import annotations

from collections.abc import Iterable

from textual import work

from ..noise import ENOUGH
from ..repeats import MOST
from ..widgets.output_board import OutputBoard
from .repeat_actions import RepeatActions


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
        from .how_many import HowMany
        from .noise_floor import NoiseFloorScreen

        state = self.playground
        if self.session.running:
            self.app.notify("A run is under way; esc stops it.", timeout=3)
            return
        if len(state.names) < 2:
            self.app.notify("This compares two variants; v adds one.", timeout=4)
            return
        if state.noise.all_there:
            again = await self.app.push_screen_wait(NoiseFloorScreen(self.session))
            self.query_one(OutputBoard).show()
            if not again:
                return
        title = f"How many outputs of each variant, to compare it with itself? From {ENOUGH}."
        number = max(ENOUGH, state.repeats)
        count = await self.app.push_screen_wait(HowMany(title, number, ENOUGH, MOST))
        if count is not None:
            self.repeat_from_now_on(count)
            self.start()
            self.app.notify("The panes say what is noise; A then shows all of it.", timeout=5)
