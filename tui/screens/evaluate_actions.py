"""What runs an evaluation beside the playground, whatever screen lies over it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer
from textual.worker import Worker, WorkerError

from ..collecting import leave_out
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.top_bar import TopBar
from .confirm import Confirm
from .history_actions import HistoryActions
from .page import covered

if TYPE_CHECKING:
    from ...compare.checks.code import Code
    from ...compare.evaluation.decision.elsewhere import Other
    from ...compare.evaluation.plan import Plan
    from ...compare.evaluation.planning import Instead
    from ...compare.hashes import FileHashes
    from ...compare.history.evaluations import Evaluations
    from ...compare.history.history import History
    from ...compare.spec import Defaults
    from ...models.engine.protocol import ModelSettings
    from ..evaluating import Evaluating

TELL_EVERY_S = 0.5


class EvaluateActions(HistoryActions):
    """The part of the playground that evaluations run on: one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.evaluating: Evaluating | None = None
        """The evaluation that runs, or ran last."""
        self._imported = False
        self.last_item: object = None
        """What was chosen last in the list of suites and evaluations, by its key."""
        self._work: Worker[None] | None = None
        self._telling: Timer | None = None
        self._hashes: FileHashes | None = None
        self._trusted: set[Code] = set()
        """Code that a person has let run: another, once its file is another."""

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def show_evaluate(self, *, running: bool) -> None:
        """Show suites and evaluations; over these, if wanted, the one that runs."""
        await self._import()
        from .evaluate import Evaluate
        from .evaluation import Evaluation

        if not self.is_current:
            return
        await self.app.push_screen(Evaluate(self))
        if running and self.evaluating is not None and self.evaluating.busy:
            await self.app.push_screen(Evaluation(self, self.evaluating))

    async def _import(self) -> None:
        """Load what the screens need, off the event loop; once, that is left out of garbage
        collections, which hold the keys up."""
        await asyncio.to_thread(_import)
        if not self._imported:
            leave_out(self.app)
        self._imported = True

    @property
    def suite_folders(self) -> Sequence[Path]:
        """Where the person's own suites are."""
        return self._setup.suite_folders

    @property
    def settings(self) -> ModelSettings:
        """How models are loaded."""
        from ...models.engine.protocol import ModelSettings

        return self._setup.settings or ModelSettings()

    @property
    def prompts_cache(self) -> Path:
        return self._prompts

    @property
    def history(self) -> History | None:
        """Where evaluations are kept; None keeps nothing."""
        return self.session.history

    @property
    def hashes(self) -> FileHashes:
        """Those of models and adapters."""
        from ...compare.hashes import FileHashes

        self._hashes = self._hashes or FileHashes(self._setup.cache_dir)
        return self._hashes

    @property
    def busy(self) -> Evaluating | None:
        """The evaluation that runs, if one does."""
        it = self.evaluating
        return it if it is not None and it.busy else None

    @property
    def cut_off(self) -> Evaluating | None:
        """The evaluation that closing the app stops; one that a person stopped is none."""
        it = self.evaluating
        mine = it is not None and (it.busy or it.state == "stopped") and self._work is not None
        return it if mine else None

    def instead(self) -> Instead:
        """The playground's variants, as a suite would ask them."""
        from dataclasses import replace

        from ...compare.evaluation.planning import Instead

        playground = self.playground
        seed = {} if playground.seed is None else {"seed": playground.seed}
        return Instead(
            [replace(it, sampling={**it.sampling, **seed}) for it in playground.variants],
            playground.baseline,
            {it.name: playground.values.known_to([it]) for it in playground.variants},
        )

    def others_of(self, plan: Plan) -> tuple[list[Other], list[str]]:
        """The suites that a plan's adapters are put to besides, and what is wrong with others. Reads
        files; raises CompareError. A person is asked before their code runs."""
        from ...compare.evaluation.decision.elsewhere import others_of

        return others_of(plan, self._defaults, self.suite_folders, kept=self._kept, allow_code=True)

    @property
    def _kept(self) -> Evaluations | None:
        return None if self.history is None else self.history.evaluations

    @property
    def _defaults(self) -> Defaults:
        from ...compare.spec import Defaults

        return Defaults(catalog=self.session.catalog, library=self.session.library)

    async def check_going_on(self, it: Evaluating) -> None:
        """See that one that was stopped can go on, and have the suites it is put to besides; those
        that are missing are told, and what was measured of them stays. Raises CompareError."""
        from ...compare.evaluation.decision.elsewhere import others_left
        from ..evaluating import check_going_on

        if self.history is not None and it.key is not None:
            runner = await self.session.runner()
            await asyncio.to_thread(check_going_on, self.history.evaluations, it, runner)
        there = await asyncio.to_thread(
            others_left, it.plan, self._defaults, self.suite_folders, self._kept
        )
        it.others, it.missing = there
        it.notes += [said for each in it.missing if (said := for_app(each)) not in it.notes]

    async def may_run(self, it: Evaluating) -> bool:
        """Ask, once, before a suite runs a person's Python code. Only in a worker."""
        from ...compare.checks.code import Code

        checks = [named.check for suite in it.suites for named in suite.checks]
        code = {check for check in checks if isinstance(check, Code)} - self._trusted
        if not code:
            return True
        files = safe_line(", ".join(sorted({check.path.name for check in code})))
        sentence = f"It checks answers with {files}, which may do all that you may."
        asked = Confirm("Run this suite's Python code?", sentence, "run it")
        if not await self.app.push_screen_wait(asked):
            return False
        self._trusted |= code
        return True

    def evaluate(self, it: Evaluating) -> None:
        """Run an evaluation; none other may be running."""
        self.evaluating = it
        it.state = "starting"
        self._work = self.run_worker(
            partial(self._evaluate, it), group="evaluation", exit_on_error=False
        )
        self._watch()

    async def _evaluate(self, it: Evaluating) -> None:
        await it.run(self.session.runner, self.hashes)
        name = safe_line(it.plan.suite.name)
        if it.state == "failed":
            self.app.notify(f"{name}: {it.problem}", severity="error", timeout=8)
        elif not self._shown(it):
            self.app.notify(f"{name} is evaluated; {{app.evaluate}} shows it.", timeout=8)

    def _shown(self, it: Evaluating) -> bool:
        from .evaluation import Evaluation

        screen = self.app.screen
        return isinstance(screen, Evaluation) and screen.evaluating is it

    async def stop_evaluating(self) -> None:
        """Stop the evaluation that runs; what it has is kept, and it can be gone on with."""
        if self._work is not None and not self._work.is_finished:
            self._work.cancel()
            with contextlib.suppress(WorkerError):
                await self._work.wait()
        self._work = None
        self._tell()

    def _going_on(self) -> list[str]:
        """What goes on in the background, each in a few words."""
        it = self.busy
        if it is None:
            return []
        if it.elsewhere is not None:
            suite, share = it.elsewhere
            return [f"evaluating, {safe_line(suite)} {100 * share:.0f} %"]
        return [f"{'paused' if it.paused else 'evaluating'} {100 * it.share:.0f} %"]

    def _watch(self) -> None:
        """Say in the title line what goes on, for as long as something does."""
        self._telling = self._telling or self.set_interval(TELL_EVERY_S, self._tell)
        self._tell()

    def _tell(self) -> None:
        said = self._going_on()
        if not said and self._telling is not None:
            self._telling.stop()
            self._telling = None
        for bar in self.query(TopBar) if not covered(self) else ():
            bar.beside = " · ".join(said)

    def on_screen_resume(self) -> None:
        self._tell()


def _import() -> None:
    """Load what the screens need, off the event loop."""
    from ...compare.evaluation import evaluator, kept, measuring, planning
    from . import evaluate, evaluation

    del evaluator, kept, measuring, planning, evaluate, evaluation
