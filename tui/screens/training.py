"""One training: its curves, what it answers meanwhile, and what can be done with its adapter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from ...compare.errors import MISTAKES
from ..key_names import styled_with_keys
from ..keys import TRAINING_KEYS
from ..safe_text import safe_line
from ..sentences import for_app
from ..training_lines import losses_line, progress_line, sample_lines, state_of, told
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line, Paragraph
from ..widgets.loss_plot import LossPlot
from .evaluation import Evaluation
from .page import Page, covered
from .pick_suites import ChooseSuite
from .styles import styles

if TYPE_CHECKING:
    from ..training import Training
    from .tune_actions import TuneActions

SHOWS_PER_S = 2


class TrainingScreen(Page[None]):
    """Shows `training`, which goes on whether it is shown or not."""

    DEFAULT_CSS = styles("tune.tcss")
    PANES: ClassVar[str] = "#training-samples, #training-left"
    BINDINGS: ClassVar[list[BindingType]] = [*TRAINING_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "#training-samples"
    HELP = (
        "A training. The curve is the loss of the rows that are learned, ○ that of the rows held "
        "out, ● its lowest: the adapter of that step is the one that is kept. Both are in nats per "
        "learned token. The playground has a variant that is given each checkpoint; with live mode "
        "({run.live} there) it runs again by itself. Leaving this screen stops nothing."
    )

    def __init__(self, home: TuneActions, training: Training) -> None:
        super().__init__()
        self.training = training
        self._home = home

    def compose(self) -> ComposeResult:
        yield Line("training-title")
        yield Line("training-progress")
        yield Paragraph("training-told")
        with Horizontal(id="training-body"):
            with Vertical(id="training-left"):
                yield Line("training-losses")
                yield LossPlot()
            with VerticalScroll(id="training-samples"):
                yield Paragraph()
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_interval(1 / SHOWS_PER_S, self.show)
        self.show()

    # ------------------------------------------------------------------ showing

    def show(self) -> None:
        """Show it as it is by now; cheap where nothing is new."""
        it, look = self.training, self.training.look
        if not self.is_attached or covered(self):
            return
        said, style = state_of(it)
        named = safe_line(look.name or it.name)
        left = Content.assemble(
            ("llamadiff", "bold $primary"), "  Tune  ", (named, "bold"),
            (f"  on {safe_line(it.plan.base.stem)}, from {safe_line(it.plan.data.name)}", "$dim"),
        )  # fmt: skip
        self.query_one("#training-title", Line).say(left, Content.assemble(("● ", style), said))
        self.query_one("#training-progress", Line).say(*progress_line(it, self.size.width))
        said = styled_with_keys(self, told(it))
        paragraph = self.query_one("#training-told", Paragraph)
        paragraph.display = bool(said)
        paragraph.say(said)
        self.query_one("#training-losses", Line).say(losses_line(look))
        self.query_one(LossPlot).show(look.losses, look.validations, look.steps)
        self.query_one("#training-samples Paragraph", Paragraph).say(sample_lines(look))
        self._show_hints()

    def _show_hints(self) -> None:
        it = self.training
        going: list[Hint] = []
        if it.busy:
            going = [("training.pause", "go on" if it.paused else "pause"), ("training.stop", "stop, keep best")]  # fmt: skip
        elif it.resumable:
            going = [("training.run", "go on")]
        own: list[Hint] = []
        if it.done and not it.busy:
            own = [("training.evaluate", "before and after"), ("training.try", "try it in the playground")]  # fmt: skip
        self.query_one(KeyBar).hints = [*going, *own, ("training.leave", "back")]

    def on_screen_resume(self) -> None:
        self.show()

    def resized(self) -> None:
        self.call_after_refresh(self.show)

    # -------------------------------------------------------------------- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        it = self.training
        match action:
            case "pause" | "stop":
                return it.busy and it.state != "stopping"
            case "start":
                return it.resumable
            case "evaluate" | "try":
                return bool(it.done) and not it.busy
            case _:
                return True

    def action_pause(self) -> None:
        it = self.training
        if it.paused:
            it.go_on()
        else:
            it.pause()
        self.show()

    async def action_stop(self) -> None:
        await self._home.stop_training()
        self.show()

    def action_start(self) -> None:
        busy = self._home.learning
        if busy is not None:
            self.app.notify(f"{busy.name} is being trained; stop it first.")
            return
        self._home.train(self.training)
        self.show()

    def action_leave(self) -> None:
        self.app.pop_screen()

    def action_try(self) -> None:
        self._home.try_adapter(self.training)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_evaluate(self) -> None:
        """Have a suite ask its own variants and the new ones; its scoreboard opens."""
        home, plan = self._home, self.training.plan
        if (busy := home.busy) is not None:
            self.app.notify(f"{busy.plan.suite.name} is running; stop it first.")
            return
        path = await self.app.push_screen_wait(
            ChooseSuite(home.suite_folders, plan.held_out, plan.data.stem)
        )
        if path is None:
            return
        try:
            it = await asyncio.to_thread(home.evaluation_of, path, plan)
        except (*MISTAKES, OSError) as mistake:
            self.tell_error(for_app(str(mistake)))
            return
        if await home.may_run(it):
            home.evaluate(it)
            self.app.push_screen(Evaluation(home, it))
