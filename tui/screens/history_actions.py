"""What the playground does with the history: shows it, reopens a run, compares with then."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.worker import WorkerError

from ...compare.errors import MISTAKES, CompareError
from ..amounts import moment
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.lines import shortened
from ..widgets.output_board import OutputBoard
from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ...compare.history.entries import Recorded
    from ..reopening import Reopened
    from ..setup import Setup


RETIRE_AFTER_S = 3.0
"""From the start: by then the first run may be on its way, and is not held up."""


class HistoryActions(VariantActions):
    """The part of the playground that goes back to what was run."""

    _setup: Setup
    """What the playground was opened with."""

    def on_mount(self) -> None:
        if self._setup.history_days is not None:
            self.set_timer(RETIRE_AFTER_S, self._retire)

    @property
    def _prompts(self) -> Path:
        """Where the caches of long prompts are."""
        return self._setup.cache_dir / "prompts"

    @work(group="retire", exit_on_error=False)
    async def _retire(self) -> None:
        """Remove what is older than the person wants to keep."""

        from ..removing import retire

        history, days = self.session.history, self._setup.history_days
        if history is not None and days is not None:
            try:
                await asyncio.to_thread(retire, history, self._prompts, days)
            except CompareError as error:
                self.tell_error(error)

    def show_history(self) -> None:
        """Show the runs already made; the one that is chosen there is reopened."""
        from .history import History

        history = self.session.history
        if history is None:
            self.app.notify("Nothing is remembered (--no-history), so there is no history.")
            return

        def chosen(recorded: Recorded | None) -> None:
            if recorded is not None:
                self.reopen(recorded)

        self.app.push_screen(History(history, self._prompts), chosen)

    @work(group="reopen", exclusive=True, exit_on_error=False)
    async def reopen(self, recorded: Recorded) -> None:
        """Go on with a recorded run as it was, and what stood beside it; say what is not there, and
        which of its files are not what they were."""
        from ...compare.hashes import FileHashes, changed_files
        from ...models.engine.client import EngineError
        from ..reopening import reopened

        recorded = await self._as_it_ended(recorded)
        run, playground, history = recorded.run, self.playground, self.session.history
        if history is None:
            return
        found = await asyncio.to_thread(reopened, recorded, history.recorded)
        try:
            await self.session.learn_variables(found.variants)
        except (*MISTAKES, EngineError) as error:
            self.app.notify(for_app(str(error)), severity="warning")
        for variant in playground.documents.all().values():
            if playground.documents.edited(variant):
                history.left(variant.prompt)
        self.workers.cancel_group(self, "run")
        playground.reopen(found)
        self.leave_drafts()
        self.list_changed(())
        self.query_one(OutputBoard).focus_pane(playground.selected)
        self.app.notify(self._reopened(recorded, found), timeout=8)
        hashes = FileHashes(self._setup.cache_dir)
        runs = [run, *(other.run for other in found.others)]
        changed = [said for it in runs for said in await changed_files(it, hashes)]
        if changed:
            said = safe_line(" ".join(dict.fromkeys(changed)))
            self.app.notify(said, severity="warning", timeout=15)

    def _reopened(self, recorded: Recorded, found: Reopened) -> str:
        """What there is to know of what was reopened."""
        playground, when = self.playground, moment(recorded.at)
        said = [
            f"This is the run of {when}: {{run.start}} runs it again, {{output.before}} compares with then, {{variant.undo}} leaves it."
        ]
        if lost := {it: reply for it in playground.names if (reply := playground.talk.lost(it))}:
            reply = shortened(safe_line(next(iter(lost.values()))), 40)
            names = ", ".join(lost)
            said = [f"This is the run of {when}, to read: the turn that {names} replied “{reply}” to is gone. {{variant.undo}} leaves it."]  # fmt: skip
        gone = [it.prompt.name for it in found.variants if it.prompt.path is None]
        if gone and any(it.prompt.path is not None for it in recorded.run.variants):
            said.append(f"{safe_line(gone[0])} is as it was then, not as in its file.")
        if others := [f"{it.run.variants[0].name}{' (pinned)' * it.pinned}" for it in found.others]:
            said.append(f"{', '.join(others)} stood beside it, of other runs.")
        if found.missing:
            said.append(
                f"{', '.join(found.missing)} stood beside it too, and is not in the history."
            )
        return " ".join(said)

    async def _as_it_ended(self, recorded: Recorded) -> Recorded:
        """A recorded run that is over; one that goes on here is stopped and read once more."""
        going, history, run = self.session.run_now, self.session.history, recorded.run
        if going is not None and history is not None and going.id == run.id:
            for worker in self.workers.cancel_group(self, "run"):
                with contextlib.suppress(WorkerError):
                    await worker.wait()
            await asyncio.to_thread(history.flush)
            recorded = await asyncio.to_thread(history.recorded, run.id)
        recorded.run.give_up()
        return recorded

    def action_before(self) -> None:
        playground = self.playground
        before = {**playground.before, **playground.then}
        if not playground.own_before and not before.keys() & set(playground.names):
            self.app.notify(
                "Nothing was said before: {run.start} runs again, then {output.before} compares.",
                timeout=4,
            )
            return
        playground.own_before = not playground.own_before
        self.changed(())
        base = "what it said before" if playground.own_before else playground.baseline
        self.app.notify(f"Each output is compared with {base} now.", timeout=3)
