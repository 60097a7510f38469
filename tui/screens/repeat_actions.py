"""What a person does with repeats: say how many, and go from one distinct output to the next."""

from __future__ import annotations

import asyncio

from textual import work

from ..repeats import MOST, Told, wanted
from ..widgets.output_board import OutputBoard
from .variant_actions import VariantActions


def _import_grouping() -> None:
    """Load what grouping needs, off the event loop."""
    from rapidfuzz import distance

    from ...compare.likeness import words_of

    words_of("Words are told apart by a pattern, which is made once.")
    del distance


class RepeatActions(VariantActions):
    """The part of the playground that runs each variant several times."""

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_repeats(self) -> None:
        from .how_many import HowMany

        title = "How many outputs of each variant? Each has a seed of its own; 1 is one."
        count = await self.app.push_screen_wait(HowMany(title, self.playground.repeats, 1, MOST))
        if count is not None and count != self.playground.repeats:
            self.repeat_from_now_on(count)
            if not self.playground.live:
                times = "once" if count == 1 else f"{count} times"
                self.app.notify(f"{{run.start}} runs each variant {times}.", timeout=3)

    def repeat_from_now_on(self, count: int) -> None:
        """Run each variant so often, from the next run on."""
        self.playground.repeats = count
        self.run_worker(asyncio.to_thread(_import_grouping), exit_on_error=False)
        self.changed(self.playground.names, at_once=True)

    def _told(self) -> Told | None:
        selected = self.playground.selected
        return self.playground.repeating.told([selected])[selected]

    def action_repeat(self, by: int) -> None:
        state = self.playground
        if state.repeating.step(state.selected, by):
            self.query_one(OutputBoard).show()
        elif count := wanted(state, state.selected):
            times = "one output" if count == 1 else f"{count} outputs"
            self.app.notify(f"{{run.start}} makes {times} of each variant.", timeout=3)
        elif (told := self._told()) and told.over == told.total:
            alike = "equal" if told.same else "alike"
            self.app.notify(f"All {told.total} outputs of {state.selected} are {alike}.", timeout=3)
        elif len(state.siblings(state.selected)) < 2:
            self.app.notify(
                "There is one output of it; {repeats.count} repeats the runs.", timeout=3
            )
        else:
            self.app.notify(f"{state.selected} has no other output yet.", timeout=3)
