"""What trains beside the playground, whatever screen lies over it, and shows what is learned there."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.worker import Worker, WorkerError

from ..collecting import leave_out
from ..safe_text import safe_line
from ..sentences import for_app
from ..tuned_variant import TunedVariant
from .evaluate_actions import EvaluateActions

if TYPE_CHECKING:
    from ...compare.tuning.data import CheckedData
    from ...compare.tuning.events import Event
    from ...compare.tuning.plan import TuningPlan
    from ...compare.tuning.tuner import Places
    from ..evaluating import Evaluating
    from ..training import Training
    from ..tune_form import TuneForm


class TuneActions(EvaluateActions):
    """The part of the playground that trainings run on: one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.training: Training | None = None
        """The training that goes on, or went on last."""
        self.tune_form: TuneForm | None = None
        """What was chosen to be trained, as it was left."""
        self._train: Worker[None] | None = None
        self._tuned: dict[str, TunedVariant] = {}
        """By the names of the training's adapters."""
        self._unseen = False
        """How the training ended was not shown yet."""
        self._behind: set[str] = set()
        """Variants whose adapter was replaced while a run was under way."""

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def show_tune(self, *, training: bool) -> None:
        """Show what can be trained; over that, if wanted, the training that goes on, or has ended
        meanwhile."""
        await asyncio.to_thread(_import)
        from .training import TrainingScreen
        from .tune import Tune

        if not self.is_current:
            return
        await self.app.push_screen(Tune(self))
        if training and self.training is not None and (self.training.busy or self._unseen):
            self._unseen = self.training.busy
            await self.app.push_screen(TrainingScreen(self, self.training))

    @property
    def tuning_places(self) -> Places:
        """Where trainings keep what they go on from."""
        from ...compare.tuning.tuner import Places

        setup = self._setup
        return Places(setup.state_dir or setup.cache_dir, setup.cache_dir, setup.log_dir)

    @property
    def adapters_folder(self) -> Path:
        """Where the adapters that are trained go, which the catalog lists."""
        return self._setup.adapters_folder or self._setup.cache_dir / "adapters"

    @property
    def learning(self) -> Training | None:
        """The training that goes on, if one does."""
        it = self.training
        return it if it is not None and it.busy else None

    def make_training(
        self, plan: TuningPlan, data: CheckedData | None = None, *, resume: bool = False
    ) -> Training:
        """A training that this screen follows; `data` are its rows, where they are checked."""
        from ..training import Training

        return Training(plan, data, resume=resume, on_event=self._heard)

    def train(self, it: Training) -> None:
        """Carry a training out; none other may be going on."""
        if it is not self.training:
            self._tuned = {}
        self.training, it.state, self._unseen = it, "starting", True
        leave_out(self.app)  # all that was imported for it
        self._train = self.run_worker(self._carry_out(it), group="training", exit_on_error=False)
        self._watch()

    async def _carry_out(self, it: Training) -> None:
        session = self.session
        await it.run(session.runner, session.library, self.suite_folders, self.tuning_places)
        self._unseen = self._unseen and not self._is_shown(it)
        if it.state == "failed" and self._unseen:
            said = f"{safe_line(it.name)}: {it.problem}"
            self.app.notify(said, severity="error", timeout=8)
        elif self._unseen:
            said = f"{safe_line(it.name)} is {'trained' if it.state == 'done' else it.state}; {{app.tune}} shows it."
            self.app.notify(said, timeout=8)
        if it.done:
            await asyncio.to_thread(self.session.catalog.scan)

    def _is_shown(self, it: Training) -> bool:
        from .training import TrainingScreen

        screen = self.app.screen
        return isinstance(screen, TrainingScreen) and screen.training is it

    async def stop_training(self) -> None:
        """Have the training that goes on end, and write the best adapter so far; before its first
        step it ends at once."""
        it = self.learning
        if it is not None and it.look.steps:
            it.stop()
        elif it is not None:
            await self.break_off()

    async def break_off(self) -> None:
        """End the training at once; it can be gone on with from its last checkpoint."""
        if self._train is not None and not self._train.is_finished:
            self._train.cancel()
            with contextlib.suppress(WorkerError):
                await self._train.wait()

    # ------------------------------------------------------- what is done with it

    def evaluation_of(self, path: Path, plan: TuningPlan) -> Evaluating:
        """A suite that is put to its own variants and to what was trained. Reads files; raises what a
        person is told."""
        from ...compare.evaluation.reading import load_suite
        from ...compare.tuning.after import tuned_plan
        from ..evaluating import Evaluating

        made = tuned_plan(load_suite(path), plan, self._defaults, self.settings, kept=self._kept)
        others, missing = self.others_of(made)
        it = Evaluating(made, self.history, others=others)
        it.missing = missing
        it.notes += [*made.notes, *map(for_app, missing)]
        return it

    def try_adapter(self, it: Training) -> None:
        """Show the playground with a variant that has the trained adapter, and run that."""
        path, playground = Path(it.done[-1].adapter), self.playground
        there = [v.name for v in playground.variants if any(a.path == path for a in v.adapters)]
        if not there and (made := self._add_variant(path.stem)) is not None:
            there = made.follow(path, path.stem)
        self._on_top()
        if there:
            playground.selected = there[0]
            self.list_changed(there)
            self.start(there)

    def _on_top(self) -> None:
        while self.app.screen is not self:
            self.app.pop_screen()

    # -------------------------------------------------------------- the variant

    def _heard(self, event: Event) -> None:
        from ...compare.tuning.events import AdapterBegun
        from ...models.tuning.tasks import Done, Saved

        match event:
            case AdapterBegun() if event.adapter.name not in self._tuned:
                self._add_variant(event.adapter.name)
            case Saved() if event.step:
                self._follow(Path(event.adapter), f"step {event.step}")
            case Done():
                self._follow(Path(event.adapter), Path(event.adapter).stem, last=True)
            case _:
                pass

    def _add_variant(self, adapter: str) -> TunedVariant | None:
        """Have a variant in the list that the adapter can be given to; None where there is no room."""
        it = self.training
        if it is None or it.data is None:
            return None
        prompt, held = it.plan.prompt, it.data.split.validation if it.data.split else ()
        values = held[0].example.values if prompt is not None and held else {}
        name = next((v.model_name for v in self.playground.variants if v.model == it.plan.base), it.plan.base.stem)  # fmt: skip
        made = TunedVariant(self.playground, adapter)
        if not made.add(it.plan.base, name, prompt, values):
            self.app.notify("There is no room for another variant.", timeout=4)
            return None
        self._tuned[adapter] = made
        if made.apart:
            said = (
                f"{made.variant} is asked a question that is held out, and the baseline "
                f"{self.playground.baseline} another: compare {made.variant} with itself."
            )
            self.app.notify(said, timeout=8)
        self.list_changed([made.variant])
        return made

    def _follow(self, path: Path, label: str, *, last: bool = False) -> None:
        """Have the newest adapter in the list; in live mode its output is made anew, once what runs
        now is over, but at once for the last one."""
        tuned = self._tuned.get(self.training.look.name) if self.training is not None else None
        if tuned is not None:
            self._behind |= {*tuned.follow(path, label)}
            self._catch_up(at_once=last)

    def _catch_up(self, *, at_once: bool = False) -> None:
        waiting = self.playground.live and self.session.running
        if self._behind and (at_once or not waiting):
            names, self._behind = self._behind, set()
            self.changed(names & {*self.playground.names}, at_once=True)

    # ------------------------------------------------------------- what goes on

    def _going_on(self) -> list[str]:
        it, said = self.learning, super()._going_on()
        self._catch_up()
        if it is None:
            return said
        doing = "paused" if it.paused else "tuning"
        loss = f", loss {it.look.losses[-1][1]:.2f}" if it.look.losses else ""
        return [*said, f"{doing} {100 * it.share:.0f} %{loss}"]


def _import() -> None:
    """Load what the screens need, off the event loop."""
    from ...compare.tuning import after, tuner
    from . import training, tune

    del after, tuner, training, tune
