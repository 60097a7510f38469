"""Runs a plan on the engine, in the background: group by group, each answer checked as it comes."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import BACKGROUND, Failed, Request
from ..checks.likelihood import Likelihood
from ..run import Output, State
from ..runner import Runner, apply_event
from .answers import Asked, Checked
from .asking import Asking
from .judging import judge
from .pausing import Pause, once_more
from .plan import Group, Plan
from .scoring import all_of, score

ROWS = 32
"""Rows that the engine is asked for at once: it goes from group to group without waiting."""
AT_ONCE = 8
"""Requests that are made before the loop does other things."""
MOST_DEATHS = 3
"""Groups in a row in which the engine may die before that is no row's fault."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far an evaluation has come: answers of all, and tokens generated since it began."""

    answers: int
    of: int
    tokens: int


class Evaluator:
    """One evaluation. Use from one asyncio loop; `run` once.

    `on_group` is called with the answers of each group, checked, as soon as they are; `on_progress`
    several times a second. Nothing of a group comes twice. `pause` holds it up: groups under way are
    given up, and run again afterwards.

    When the engine dies, the groups under way are run again, each alone. One that it dies in twice
    more is to blame and has that as its error, unless the engine can do no other group either: then
    nothing of it comes, to be run later.
    """

    def __init__(
        self,
        runner: Runner,
        plan: Plan,
        on_group: Callable[[list[Checked]], None],
        on_progress: Callable[[Progress], None] = lambda progress: None,
        pause: Pause | None = None,
    ) -> None:
        self.runner = runner
        self.plan = plan
        self._on_group = on_group
        self._on_progress = on_progress
        self._pause = pause or Pause()
        checks = [it.check for it in plan.suite.checks]
        self._scores = any(isinstance(it, Likelihood) for it in checks)
        self._asking = Asking(runner, plan)
        self._unjudged: list[list[Asked]] = []
        """Answers of groups that are generated, while the judges wait for those of the baseline."""
        self._baseline: dict[tuple[int, int], str] = {}
        """The baseline's answers, by row and repeat."""
        self._open: dict[Group, list[Asked]] = {}
        """What is under way."""
        self._done = 0
        self._tokens = 0
        self._deaths = 0
        """Groups in a row in which the engine died."""
        self._lost: list[tuple[Group | None, Callable[[], None]]] = []
        """Those groups, None where a judge was asked, and what hands their answers on."""

    # -------------------------------------------------------------------- running

    async def check(self) -> None:
        """See that the plan can be run. Raises as `Asking.check`."""
        await once_more(self._asking.check)

    async def run(self, before: Sequence[Checked] = ()) -> None:
        """Run all groups of which answers are not there `before`. Errors of a row are its answers' own.

        Raises as `check`, and EngineError when the engine dies again and again.
        """
        if not self._asking.checked:
            await self.check()
        for answer in before:
            self._hear(answer.variant, answer.row, answer.repeat, answer.answer, answer.error)
        left = self.plan.left({answer.place for answer in before})
        self._done = self.plan.answers - sum(len(group.places) for group in left)
        self._tell()
        finished: asyncio.Queue[list[Asked] | None] = asyncio.Queue()
        checking = asyncio.create_task(self._check_all(finished))
        ready = ahead = None
        try:
            batches = [(batch, batch is block[-1]) for block in _blocks(left) for batch in block]
            coming = [batch for batch, _ in batches[1:]]
            for (batch, last), following in itertools.zip_longest(batches, coming):
                ready = ahead or asyncio.create_task(self._asking.prepare(batch))
                await asyncio.wait({ready})
                ahead = asyncio.create_task(self._asking.prepare(following)) if following else None
                await self._batch(batch, ready, finished)
                if last:
                    await self._judge(finished)
                if checking.done():
                    break
            await self._own_up()
            await self._judge(finished)
            self._hand_on()
            finished.put_nowait(None)
            await checking
        finally:
            for task in (checking, ready, ahead):
                if task is not None:
                    task.cancel()

    def _hear(self, name: str, row: int, repeat: int, answer: str, error: str | None) -> None:
        if name == self.plan.baseline.name and error is None:
            self._baseline[row, repeat] = answer

    # ----------------------------------------------------------------- generating

    async def _batch(
        self,
        batch: Sequence[Group],
        ready: asyncio.Task[dict[Group, list[Asked]]],
        finished: asyncio.Queue[list[Asked] | None],
    ) -> None:
        """Have the engine answer these groups, made `ready` before; those left when it dies one by one,
        as any of them may be what it dies of."""
        left, made = [*batch], [ready]
        put = self._unjudged.append if self.plan.judges else finished.put_nowait
        try:
            await self._pause.through(lambda: self._answer(left, put, made.pop() if made else None))
            return
        except EngineError as error:
            log.warning("an evaluation's batch failed: %s", error)
        for group in left:
            try:
                alone = partial(self._answer, [group], put)
                await once_more(partial(self._pause.through, alone))
            except EngineError as error:
                lost = self._asking.asked(group)
                for it in lost:
                    it.output.state, it.output.error = State.FAILED, str(error)
                    it.died = True
                self._died(error, group, partial(put, lost))
        self._open = {}

    async def _answer(
        self,
        left: list[Group],
        put: Callable[[list[Asked]], None],
        ready: asyncio.Task[dict[Group, list[Asked]]] | None = None,
    ) -> None:
        """Have these groups answered; they are taken off the list one by one as they are."""
        self._open = {}
        self._open = await (ready or self._asking.prepare(left))

        def over(group: Group) -> None:
            left.remove(group)
            self._done += len(group.places)
            put(self._open.pop(group))
            self._lives()
            self._tell()

        await self._compute(dict(self._open), over)

    def _died(self, error: EngineError, group: Group | None, hand_on: Callable[[], None]) -> None:
        """Keep back what the engine died in, a group or the judging of one; raise the error when it
        was one too many."""
        self._lost.append((group, hand_on))
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise error

    def _lives(self) -> None:
        """The engine can do other groups: what it died in was those groups' fault."""
        self._deaths = 0
        self._hand_on()

    def _hand_on(self) -> None:
        lost, self._lost = self._lost, []
        for _, hand_on in lost:
            hand_on()

    async def _own_up(self) -> None:
        """At the end, see whether the engine can do a group that was fine, if it died in the last
        ones. Raises EngineError when it cannot."""
        lost = {group for group, _ in self._lost if group is not None}
        if lost:
            known = next((group for group in self.plan.groups() if group not in lost), None)
            if known is None:
                raise EngineError("The engine died with every row that it was asked.")
            self._done -= len(known.places)
            again = partial(self._answer, [known], lambda asked: None)
            await once_more(partial(self._pause.through, again))

    async def _compute(
        self, asked: Mapping[Group, list[Asked]], over: Callable[[Group], None]
    ) -> None:
        """Generate, then score what is to be scored; `over` is told each group. Raises EngineError."""
        if self.plan.generates:
            await self._generate(asked, (lambda group: None) if self._scores else over)
        if self._scores:
            await score(self.runner, self.plan, [it for each in asked.values() for it in each])
            for group in asked:
                over(group)

    async def _judge(self, finished: asyncio.Queue[list[Asked] | None]) -> None:
        """Ask the judges about all that is generated, one group after the other. One that the engine
        dies in is asked once more. Raises EngineError when it dies again and again."""
        waiting, self._unjudged = self._unjudged, []
        for it in itertools.chain.from_iterable(waiting):
            output = it.output
            self._hear(output.variant.name, it.place, output.repeat, it.answer, output.error)
        for each in waiting:
            asking = partial(judge, self.runner, self.plan, each, self._baseline)
            try:
                await once_more(partial(self._pause.through, asking))
            except EngineError as error:
                self._died(error, None, partial(finished.put_nowait, each))
                continue
            finished.put_nowait(each)
            self._lives()

    async def _generate(
        self, asked: Mapping[Group, list[Asked]], over: Callable[[Group], None]
    ) -> None:
        open_answers: dict[Group, int] = {}
        by_model: dict[int, tuple[LoadedModel, list[tuple[Group, Asked]]]] = {}
        for group, each in asked.items():
            open_answers[group] = 0
            for it in each:
                if it.ready is None:
                    continue
                model = it.ready.model
                by_model.setdefault(model.key, (model, []))[1].append((group, it))
                open_answers[group] += 1
            if not open_answers[group]:
                over(group)

        async def stream(model: LoadedModel, them: list[tuple[Group, Asked]]) -> None:
            requests: list[Request] = []
            heard: dict[int, tuple[Group, Output]] = {}
            for number, (group, it) in enumerate(them):
                if number % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)
                assert it.ready is not None
                it.output.stamp.prompt_text = it.ready.text
                request = self.runner.request(
                    it.ready,
                    it.output,
                    exact=self.plan.exact,
                    group=group.number,
                    priority=BACKGROUND,
                )
                requests.append(request)
                heard[request.id] = (group, it.output)
            async for events in self.runner.engine.generate(model, requests):
                for event in events:
                    group, output = heard[event.id]
                    apply_event(output, event)
                    if isinstance(event, Failed) and not event.refused:
                        raise EngineError(event.message)
                    if output.state.over:
                        self._tokens += len(output.tokens)
                        self._tell()
                        open_answers[group] -= 1
                        if not open_answers[group]:
                            over(group)

        await all_of(stream(*each) for each in by_model.values())

    # ------------------------------------------------------------------- checking

    async def _check_all(self, finished: asyncio.Queue[list[Asked] | None]) -> None:
        while (asked := await finished.get()) is not None:
            checked = await asyncio.to_thread(self._check, asked)
            self._on_group(checked)

    def _check(self, asked: Sequence[Asked]) -> list[Checked]:
        rows, checks = self.plan.rows, self.plan.suite.checks
        return [it.checked(rows[it.place], checks, generates=self.plan.generates) for it in asked]

    def _tell(self) -> None:
        part = sum(it.output.state.over for each in self._open.values() for it in each)
        self._on_progress(Progress(self._done + part, self.plan.answers, self._tokens))


def _blocks(groups: Sequence[Group]) -> Iterator[list[list[Group]]]:
    """Of every ROWS rows, which no group goes beyond, the batches: all large groups together; of the
    small ones, which the engine would decode together, one of each lane at a time."""
    for _, block in itertools.groupby(groups, key=lambda group: group.row // ROWS):
        them = list(block)
        large = [group for group in them if not group.small]
        small: dict[int, list[Group]] = {}
        for group in them:
            if group.small:
                small.setdefault(group.lane, []).append(group)
        yield [large] * bool(large) + [
            [group for group in each if group is not None]
            for each in itertools.zip_longest(*small.values())
        ]
