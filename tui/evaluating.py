"""One evaluation in the app: under way, stopped or over; what it says by now."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from ..compare.checks.code import Code
from ..compare.errors import MISTAKES, CompareError
from ..compare.evaluation.answers import Checked, standing
from ..compare.evaluation.evaluator import Evaluator, Progress
from ..compare.evaluation.kept import Kept
from ..compare.evaluation.measured import Measured
from ..compare.evaluation.measuring import measure
from ..compare.evaluation.pausing import Pause
from ..compare.evaluation.plan import Plan
from ..compare.evaluation.scoreboard import Scoreboard
from ..compare.history.evaluations import RUNS_ELSEWHERE
from ..compare.rating.decided import decided
from ..models.engine.client import EngineError
from .asked_rows import AskedRow, asked_rows
from .sentences import for_app

if TYPE_CHECKING:
    from ..compare.evaluation.decision.elsewhere import Other
    from ..compare.evaluation.suite import Suite
    from ..compare.hashes import FileHashes
    from ..compare.history.evaluations import Evaluations
    from ..compare.history.history import History
    from ..compare.runner import Runner

State = Literal["starting", "running", "measuring", "stopped", "done", "failed"]

LOOK_EVERY_S = 1.0
SHARE = 4
"""Computing the scoreboard is followed by a pause of so many times what it took."""
WINDOW_S = 15.0
"""Over which answers per second are counted."""
ENOUGH_S = 1.0
"""From here on a speed says something."""
HASHING_S = 1.0
"""How long the end waits for the hashes of files; a report waits for all of them."""


@dataclass(frozen=True)
class Look:
    """What the answers said when they were last looked at."""

    board: Scoreboard
    rows: Sequence[AskedRow]
    answers: int
    decided: bool = False
    """Whether the decision was asked for."""
    decision: Mapping[str, Any] | None = None
    """None where there is nothing to decide between, too."""


class Evaluating:
    """An evaluation and its answers. `run` once, on the loop; `look` whenever it is `due`.

    It goes on with what is `kept` of it. `history` is where answers are kept; None keeps nothing.
    `others` are the suites that its adapters are put to besides, once all answers are there, and
    `missing` sentences on those that were and are not there any more.
    """

    def __init__(
        self,
        plan: Plan,
        history: History | None,
        *,
        others: Sequence[Other] = (),
        kept: Kept | None = None,
    ) -> None:
        self.plan, self.others = plan, others
        self.missing: Sequence[str] = ()
        self.key = kept.key if kept is not None else None
        self.state: State = "starting"
        if kept is not None:
            self.state = "stopped" if kept.ended is None else "done"
        self.problem = ""
        """Why it failed."""
        self.notes: list[str] = []
        """What is to be known of it, a sentence each."""
        self.answers = [*kept.answers] if kept is not None else []
        self.errors = sum(map(unscored, self.answers))
        """Answers that could not be had, or not be scored."""
        self.died = sum(it.died for it in self.answers)
        """Answers that the engine died with."""
        self.elsewhere: tuple[str, float] | None = None
        """The suite that adapters are put to now, and how much of it is done."""
        self.seen: Look | None = None
        self._history = history
        self._at = kept.at if kept is not None else datetime.now(UTC)
        self._ended = kept.ended if kept is not None else None
        self._program = kept.program if kept is not None else version("llamadiff")
        self._measured = kept.measured if kept is not None else Measured()
        self._done = len(self.answers)
        self._pause = Pause()
        self._speeds: deque[tuple[float, int]] = deque()
        self._since: float | None = None
        """When computing went on last; None while nothing is computed."""
        self._counted = len(self.answers)
        """So many answers are counted in what is measured."""
        self._looked = 0.0
        self._took = 0.0
        self._looking = False
        self._news = False

    @property
    def _evaluations(self) -> Evaluations | None:
        return self._history.evaluations if self._history is not None else None

    @property
    def suites(self) -> list[Suite]:
        """Its suite, and those that its adapters are put to besides."""
        return [self.plan.suite, *(it.suite for it in self.others)]

    def kept(self) -> Kept:
        """It as the history has it by now."""
        return Kept(
            self.key, self._at, self._ended, self._program, self.plan, tuple(self.answers),
            self._measured,
        )  # fmt: skip

    # ----------------------------------------------------------------- running

    @property
    def busy(self) -> bool:
        return self.state in ("starting", "running", "measuring")

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with: not where it failed before it began, and where it is over
        only for what the engine died with."""
        if self.state == "done":
            return self.died > 0
        return self.state == "stopped" or (self.state == "failed" and not self.refused)

    @property
    def refused(self) -> bool:
        """Whether it failed before anything was asked."""
        return self.state == "failed" and self.key is None and not self.answers

    async def run(
        self, runner_of: Callable[[], Awaitable[Runner]], hashes: FileHashes | None = None
    ) -> None:
        """Run it to its end, which may be that it failed. Cancelling this stops it."""
        self.state, self.problem, self._pause = "starting", "", Pause()
        self._speeds.clear()
        try:
            await self._run(await runner_of())
            if hashes is not None:
                await self.hash_files(hashes, HASHING_S)
            decision = await asyncio.to_thread(decided, self._history, self.kept())
            self._learn(self._measured.decided(decision))
            self._end()
        except asyncio.CancelledError:
            self.state = "stopped"
            raise
        except (*MISTAKES, EngineError) as error:
            self.state, self.problem = "failed", for_app(str(error))
        finally:
            self._account()
            self.elsewhere = None
            if self._evaluations is not None and self.key is not None:
                self._evaluations.release(self.key)

    async def _run(self, runner: Runner) -> None:
        before = self.answers
        evaluator = Evaluator(runner, self.plan, self._add, self._progress, self._pause)
        await evaluator.check()
        self.notes += [
            it for it in await asyncio.to_thread(runner.odd, self.plan.variants)
            if it not in self.notes
        ]  # fmt: skip
        kept = self._evaluations
        if kept is not None and self.key is None:
            self.key = await asyncio.to_thread(kept.begin, self.plan, self._program)
            for other in self.others:
                await asyncio.to_thread(kept.settle, other.plan)
            self._at = await asyncio.to_thread(kept.began, self.key)
        elif kept is not None and self.key is not None:
            await asyncio.to_thread(kept.take, self.key)
        self.answers, self.errors, self.died, self._ended = [], 0, 0, None
        self._take_in(standing(self.plan, before))
        self._counted = len(self.answers)
        self.state = "running"
        if not self._pause.on:
            self._since = time.monotonic()
        await evaluator.run(before)
        self._account()
        self.state = "measuring"
        self._learn(
            await measure(
                runner, self.plan, self.answers, self.others, self._measured, self._learn,
                self._go_elsewhere, missing=self.missing, pause=self._pause,
            )
        )  # fmt: skip

    def _take_in(self, checked: list[Checked]) -> None:
        self.answers += checked
        self.errors += sum(map(unscored, checked))
        self.died += sum(it.died for it in checked)

    def _add(self, checked: list[Checked]) -> None:
        self._take_in(checked)
        if self._evaluations is not None and self.key is not None:
            self._evaluations.add(self.key, checked)

    def _progress(self, progress: Progress) -> None:
        self._done = progress.answers
        now = time.monotonic()
        self._speeds.append((now, progress.answers))
        while now - self._speeds[0][0] > WINDOW_S:
            self._speeds.popleft()

    def _go_elsewhere(self, suite: str, share: float) -> None:
        self.elsewhere = (suite, share)

    def _learn(self, measured: Measured) -> None:
        """Take in and keep what was measured."""
        self._measured, self._news = measured, True
        if self._evaluations is not None and self.key is not None:
            self._evaluations.keep_measured(self.key, measured)

    async def hash_files(self, hashes: FileHashes, patience_s: float | None = None) -> None:
        """Have the hashes of models and adapters, those known within so many seconds."""
        known = await hashes.known(self.plan.files, patience_s)
        self._learn(replace(self._measured, hashes={**self._measured.hashes, **known}))

    def _end(self) -> None:
        self._ended, self.state = datetime.now(UTC), "done"
        if self._evaluations is not None and self.key is not None:
            self._evaluations.end(self.key)

    def _account(self) -> None:
        """Write down what it took."""
        self._stand()
        new = len(self.answers) - self._counted
        if new:
            self._counted += new
            self._learn(replace(self._measured, answers=self._measured.answers + new))

    def _stand(self) -> None:
        if self._since is not None:
            seconds = self._measured.seconds + time.monotonic() - self._since
            self._measured, self._since = replace(self._measured, seconds=seconds), None

    # ----------------------------------------------------------------- pausing

    @property
    def paused(self) -> bool:
        """Nothing is computed; what was under way is begun anew by `go_on`."""
        return self.busy and self._pause.on

    def pause(self) -> None:
        self._pause.begin()
        self._stand()

    def go_on(self) -> None:
        self._pause.end()
        self._speeds.clear()
        if self.state == "running":
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
        return self._measured.seconds + now

    # ----------------------------------------------------------------- looking

    def due(self, *, deciding: bool = False) -> bool:
        """Whether `look` would see something new, and enough time has passed."""
        if self._looking:
            return False
        seen = self.seen
        new = seen is None or seen.answers != len(self.answers) or self._news
        if seen is not None and not new and (seen.decided or not deciding):
            return False
        asked = seen is None or (deciding and not seen.decided)
        pause = max(LOOK_EVERY_S, SHARE * self._took) if self.busy and not asked else 0
        return time.monotonic() - self._looked >= pause

    def changed(self) -> None:
        """Say that people may have rated its answers."""
        self._news = True

    async def look(self, *, deciding: bool = False) -> Look:
        """Have the scoreboard and the rows say what the answers say by now, and what they decide."""
        self._looking, self._news = True, False
        kept, start = self.kept(), time.monotonic()
        try:
            board = await asyncio.to_thread(kept.board)
            rows = await asyncio.to_thread(asked_rows, self.plan, kept.answers)
            decision = None
            if deciding:
                decision = await asyncio.to_thread(decided, self._history, kept)
            self.seen = Look(board, rows, len(kept.answers), deciding, decision)
            return self.seen
        finally:
            self._looking, self._looked = False, time.monotonic()
            self._took = self._looked - start

    async def document(self, hashes: FileHashes) -> dict[str, Any]:
        """It as JSON, as `llamadiff eval --json` prints it; waits for the hashes of all files."""
        await self.hash_files(hashes)
        seen = await self.look(deciding=True)
        return self.kept().document(seen.board, seen.decision)

    def of_row(self, place: int) -> list[Checked]:
        """The answers to a row, by variant and repeat."""
        order = [variant.name for variant in self.plan.variants]
        found = [it for it in self.answers if it.row == place]
        return sorted(found, key=lambda it: (order.index(it.variant), it.repeat))


def unscored(answer: Checked) -> bool:
    """Whether there is no answer, or no score for it."""
    return answer.error is not None or answer.score is None


def opened(history: History, key: str) -> Evaluating:
    """An evaluation of the history, over or stopped. Raises CompareError. Reads a file."""
    kept = history.evaluations.kept(key)
    return Evaluating(kept.plan, history, kept=kept)


def check_going_on(kept: Evaluations, it: Evaluating, runner: Runner) -> None:
    """Raise CompareError where another program goes on with it, or going on would mix answers of
    different things. Reads files."""
    plan = it.plan
    if plan.settings != runner.settings:
        raise CompareError(
            "It was begun with other settings of the model (context, threads, GPU layers or the "
            "KV cache's type): open llamadiff with those to go on with it."
        )
    if it.key is not None and kept.running(it.key):
        raise CompareError(RUNS_ELSEWHERE.format(it.key))
    same = kept.unfinished(plan)
    for named in plan.suite.checks:
        if isinstance(named.check, Code):
            named.check.make_ready()
    if same is None:
        raise CompareError(
            "It cannot go on: the model or an adapter is not what it was. Run its suite anew."
        )
