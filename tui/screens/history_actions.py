"""What the playground does with the history: shows it, reopens a run, compares with then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from textual import work

from ...compare.errors import CompareError
from ...prompts.errors import PromptError
from ..amounts import moment
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.output_board import OutputBoard
from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ...compare.history.entries import Recorded
    from ..app import LlamadiffApp
    from ..setup import Setup


RETIRE_AFTER_S = 3.0
"""From the start: by then the first run may be on its way, and is not held up."""


class HistoryActions(VariantActions):
    """The part of the playground that goes back to what was run."""

    def on_mount(self) -> None:
        if self._setup.history_days is not None:
            self.set_timer(RETIRE_AFTER_S, self._retire)

    @property
    def _setup(self) -> Setup:
        return cast("LlamadiffApp", self.app).setup

    @work(group="retire", exit_on_error=False)
    async def _retire(self) -> None:
        """Remove what is older than the person wants to keep."""
        history, days = self.session.history, self._setup.history_days
        if history is not None and days is not None and history.file.exists():
            try:
                await asyncio.to_thread(history.retire, datetime.now(UTC) - timedelta(days=days))
            except CompareError as error:
                self.app.notify(str(error), severity="error", markup=False)

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

        self.app.push_screen(History(history), chosen)

    @work(group="reopen", exclusive=True, exit_on_error=False)
    async def reopen(self, recorded: Recorded) -> None:
        """Go on with a recorded run as it was; say which of its files are not what they were."""
        from ...compare.hashes import FileHashes, changed_files
        from ..reopening import variants_of

        run, playground, history = recorded.run, self.playground, self.session.history
        variants, seed = await asyncio.to_thread(variants_of, run)
        try:
            await self.session.learn_variables(variants)
        except PromptError as error:
            self.app.notify(for_app(str(error)), severity="warning", markup=False)
        for variant in playground.documents().values():
            if history is not None and playground.edited(variant):
                history.left(variant.prompt)
        self.workers.cancel_group(self, "run")
        playground.reopen(run, variants, seed)
        self.list_changed(())
        self.query_one(OutputBoard).focus_pane(playground.selected)
        gone = [it.prompt.name for it in variants if it.prompt.path is None]
        said = f"This is the run of {moment(recorded.at)}: F5 runs it again, B compares with then, u leaves it."  # fmt: skip
        if gone and any(it.prompt.path is not None for it in run.variants):
            said += f" {safe_line(gone[0])} is as it was then, not as in its file."
        self.app.notify(said, timeout=8, markup=False)
        cache_dir = self._setup.cache_dir
        changed = await changed_files(run, FileHashes(cache_dir))
        if changed:
            self.app.notify(
                safe_line(" ".join(changed)), severity="warning", timeout=15, markup=False
            )

    def action_before(self) -> None:
        playground = self.playground
        before = {**playground.before, **playground.then}
        if not playground.own_before and not before.keys() & set(playground.names):
            self.app.notify("Nothing was said before: F5 runs again, then B compares.", timeout=4)
            return
        playground.own_before = not playground.own_before
        self.changed(())
        base = "what it said before" if playground.own_before else playground.baseline
        self.app.notify(f"Each output is compared with {base} now.", timeout=3)
