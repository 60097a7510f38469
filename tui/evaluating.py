"""One evaluation in the app: under way, stopped or over; what it says by now."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from ..compare.errors import MISTAKES, CompareError
from ..compare.evaluation.answers import Checked
from ..compare.evaluation.evaluator import Evaluator, Progress
from ..compare.evaluation.pace import measure_paces
from ..compare.evaluation.plan import Plan
from ..compare.evaluation.recorded import Costs
from ..compare.evaluation.scoreboard import Scoreboard, scoreboard
from ..models.engine.client import EngineError
from .asked_rows import AskedRow, asked_rows
from .sentences import for_app

if TYPE_CHECKING:
    from ..compare.history.evaluations import Evaluations
    from ..compare.runner import Runner

State = Literal["starting", "running", "measuring", "stopped", "done", "failed"]

LOOK_EVERY_S = 1.0
SHARE = 4
"""Computing the scoreboard is followed by a pause of so many times what it took."""
WINDOW_S = 15.0
"""Over which answers per second are counted."""
ENOUGH_S = 1.0
"""From here on a speed says something."""


@dataclass(frozen=True)
class Look:
    """What the answers said when they were last looked at."""

    board: Scoreboard
    rows: Sequence[AskedRow]
    answers: int


class Evaluating:
    """An evaluation and its answers. `run` once, on the loop; `look` whenever `due`.

    `kept` is where answers are kept; None keeps nothing. With a `key` it goes on with that one.
    """

    def __init__(
        self,
        plan: Plan,
        kept: Evaluations | None,
        *,
        key: str | None = None,
        answers: Sequence[Checked] = (),
        costs: Costs | None = None,
        state: State = "starting",
    ) -> None:
        self.plan, self.key, self.state = plan, key, state
        self.problem = ""
        """Why it failed."""
        self.notes: list[str] = []
        """What is to be known of it, a sentence each."""
        self.answers = [*answers]
        self.errors = sum(map(unscored, answers))
        """Answers that could not be had, or not be scored."""
        self.seen: Look | None = None
        self._kept = kept
        self._costs = costs or Costs()
        self._evaluator: Evaluator | None = None
        self._done = len(self.answers)
        self._paused = False
        self._speeds: deque[tuple[float, int]] = deque()
        self._since: float | None = None
        """When computing went on last; None while nothing is computed."""
        self._looked = 0.0
        self._took = 0.0
        self._looking = False
        self._measured = False

    # ----------------------------------------------------------------- running

    @property
    def busy(self) -> bool:
        return self.state in ("starting", "running", "measuring")

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with."""
        return self.state in ("stopped", "failed")

    async def run(self, runner_of: Callable[[], Awaitable[Runner]]) -> None:
        """Run it to its end, which may be that it failed. Cancelling this stops it."""
        self.state, self.problem, self._paused = "starting", "", False
        self._speeds.clear()
        try:
            await self._run(await runner_of())
            self.state = "done"
        except asyncio.CancelledError:
            whole = len(self.answers) >= self.plan.answers
            self.state = "done" if whole else "stopped"
            raise
        except (*MISTAKES, EngineError) as error:
            self.state, self.problem = "failed", for_app(str(error))
        finally:
            self._account()
            self._evaluator = None

    async def _run(self, runner: Runner) -> None:
        before = {answer.place for answer in self.answers}
        evaluator = Evaluator(runner, self.plan, self._add, self._progress)
        await evaluator.check()
        self.notes += await asyncio.to_thread(runner.odd, self.plan.variants)
        kept = self._kept
        if kept is not None and self.key is None:
            self.key = await asyncio.to_thread(kept.begin, self.plan, version("llamadiff"))
        self._evaluator, self.state = evaluator, "running"
        if self._paused:
            evaluator.pause()
        else:
            self._since = time.monotonic()
        await evaluator.run(before)
        if kept is not None and self.key is not None:
            kept.end(self.key)
        self._stand()
        self.state = "measuring"
        if evaluator.generates:
            self._costs = replace(self._costs, paces=await measure_paces(runner, self.plan))
            self._measured = True

    def _add(self, checked: list[Checked]) -> None:
        self.answers += checked
        self.errors += sum(map(unscored, checked))
        if self._kept is not None and self.key is not None:
            self._kept.add(self.key, checked)

    def _progress(self, progress: Progress) -> None:
        self._done = progress.answers
        now = time.monotonic()
        self._speeds.append((now, progress.answers))
        while now - self._speeds[0][0] > WINDOW_S:
            self._speeds.popleft()

    def _account(self) -> None:
        """Write down what it took."""
        self._stand()
        if self._kept is not None and self.key is not None:
            self._kept.keep_costs(self.key, replace(self._costs, answers=len(self.answers)))

    def _stand(self) -> None:
        if self._since is not None:
            seconds = self._costs.seconds + time.monotonic() - self._since
            self._costs, self._since = replace(self._costs, seconds=seconds), None

    # ----------------------------------------------------------------- pausing

    @property
    def paused(self) -> bool:
        return self._paused and self.busy

    @property
    def standing(self) -> bool:
        """Nothing is computed: what was under way when it was paused is finished."""
        return self.paused and self._evaluator is not None and self._evaluator.standing

    def pause(self) -> None:
        """Begin no further rows; `go_on` takes it back."""
        self._paused = True
        if self._evaluator is not None:
            self._evaluator.pause()
        self._stand()

    def go_on(self) -> None:
        self._paused = False
        self._speeds.clear()
        if self._evaluator is not None:
            self._evaluator.go_on()
            self._since = time.monotonic()

    # ----------------------------------------------------------------- figures

    @property
    def done(self) -> int:
        """Answers that are there, or on their way through the checks."""
        return max(self._done, len(self.answers)) if self.busy else len(self.answers)

    @property
    def share(self) -> float:
        return self.done / self.plan.answers

    @property
    def rate(self) -> float | None:
        """Answers per second, once that can be said."""
        if len(self._speeds) < 2 or self.paused or self.state != "running":
            return None
        (start, before), (_, after) = self._speeds[0], self._speeds[-1]
        seconds = time.monotonic() - start
        return (after - before) / seconds if seconds >= ENOUGH_S and after > before else None

    @property
    def left_s(self) -> float | None:
        """About how many seconds are left."""
        rate = self.rate
        return (self.plan.answers - self.done) / rate if rate else None

    @property
    def took_s(self) -> float:
        """Seconds that computing its answers has taken so far."""
        now = time.monotonic() - self._since if self._since is not None else 0.0
        return self._costs.seconds + now

    # ----------------------------------------------------------------- looking

    @property
    def due(self) -> bool:
        """Whether `look` would see something new, and enough time has passed."""
        if self._looking:
            return False
        seen = self.seen
        if seen is not None and seen.answers == len(self.answers) and not self._measured:
            return False
        pause = max(LOOK_EVERY_S, SHARE * self._took) if self.busy and seen is not None else 0
        return time.monotonic() - self._looked >= pause

    async def look(self) -> None:
        """Have the scoreboard and the rows say what the answers say by now."""
        self._looking, self._measured = True, False
        answers, plan, paces = tuple(self.answers), self.plan, self._costs.paces
        start = time.monotonic()
        try:
            board = await asyncio.to_thread(scoreboard, plan, answers, paces)
            rows = await asyncio.to_thread(asked_rows, plan, answers)
            self.seen = Look(board, rows, len(answers))
        finally:
            self._looking, self._looked = False, time.monotonic()
            self._took = self._looked - start

    def of_row(self, place: int) -> list[Checked]:
        """The answers to a row, by variant and repeat."""
        order = [variant.name for variant in self.plan.variants]
        found = [it for it in self.answers if it.row == place]
        return sorted(found, key=lambda it: (order.index(it.variant), it.repeat))


def unscored(answer: Checked) -> bool:
    """Whether there is no answer, or no score for it."""
    return answer.error is not None or answer.score is None


def as_settled(kept: Evaluations | None, plan: Plan) -> tuple[Plan, str]:
    """The plan with the number of rows that was planned when these rows were first looked at, and
    what there is to say of that."""
    settled = kept.settled(plan) if kept is not None else None
    if settled is None or settled == plan.planned:
        return plan, ""
    said = (
        f"{settled:,} rows were planned when this suite was first run; that stays, so that looking "
        "again buys no winner."
    )
    return replace(plan, planned=settled), said


def opened(kept: Evaluations, key: str) -> Evaluating:
    """An evaluation of the history, over or stopped. Raises CompareError. Reads a file."""
    plan, answers, costs = kept.plan(key), kept.answers(key), kept.costs(key)
    state: State = "done" if len(answers) >= plan.answers else "stopped"
    return Evaluating(plan, kept, key=key, answers=answers, costs=costs, state=state)


def check_going_on(kept: Evaluations, it: Evaluating, runner: Runner) -> None:
    """Raise CompareError where going on would mix answers of different things. Reads files."""
    plan = it.plan
    if plan.settings != runner.settings:
        raise CompareError(
            "It was begun with other settings of the model (context, threads, GPU layers or the "
            "KV cache's type): open llamadiff with those to go on with it."
        )
    try:
        same = kept.unfinished(plan)
    except OSError as error:
        raise CompareError(f"It cannot go on: {error.filename} cannot be read.") from None
    if same is None:
        raise CompareError(
            "It cannot go on: the model, an adapter or the Python code of its checks is not what "
            "it was. Run its suite anew."
        )
