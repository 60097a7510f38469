"""Runs a plan on the engine, in the background: group by group, each answer checked as it comes."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import BACKGROUND, Failed, Request
from ..checks.likelihood import Likelihood
from ..run import Output, State
from ..runner import Runner, apply_event
from .answers import Asked, Checked, standing
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
"""Rows in a row that the engine may die with before it is asked what it could do before."""
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

    When the engine dies, the groups under way are run again, each alone, and where it dies twice more
    row by row. A row that it dies with twice again is marked as such. After several in a row it is
    asked for what it could do before: where it cannot do that either, no row is to blame, and the
    evaluation ends. When it goes on, what it died with comes last.
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
        """Rows in a row that the engine died with."""
        self._deadly: set[int] = set()
        """The numbers of the groups that they are of."""
        self._fine: Group | None = None
        """A group that the engine could do."""
        self._judged: Sequence[Asked] = ()
        """Answers that it could judge."""

    # -------------------------------------------------------------------- running

    async def check(self) -> None:
        """See that the plan can be run. Raises as `Asking.check`."""
        await once_more(self._asking.check)

    async def run(self, before: Sequence[Checked] = ()) -> None:
        """Run all groups of which answers are not there `before`, or were what the engine died with.
        Errors of a row are its answers' own.

        Raises as `check`, and EngineError when the engine dies again and again; what it had done by
        then has come.
        """
        if not self._asking.checked:
            await self.check()
        there = standing(self.plan, before)
        for answer in there:
            self._hear(answer.variant, answer.row, answer.repeat, answer.answer, answer.error)
        left = self.plan.left({answer.place for answer in there})
        died = {answer.place for answer in before if answer.died}
        self._deadly = {group.number for group in left if not died.isdisjoint(group.places)}
        again = {group.number for group in left}
        self._fine = next((it for it in self.plan.groups() if it.number not in again), None)
        self._done = self.plan.answers - sum(len(group.places) for group in left)
        self._tell()
        finished: asyncio.Queue[list[Asked] | None] = asyncio.Queue()
        checking = asyncio.create_task(self._check_all(finished))
        fatal: EngineError | None = None
        try:
            try:
                await self._ask(_blocks(left, self._deadly), finished, checking)
            except EngineError as error:
                fatal = error
                for each in self._unjudged:
                    if any(it.died for it in each):
                        finished.put_nowait(each)
            finished.put_nowait(None)
            await checking
        finally:
            checking.cancel()
        if fatal is not None:
            raise fatal

    async def _ask(
        self,
        blocks: Sequence[Sequence[Sequence[Group]]],
        finished: asyncio.Queue[list[Asked] | None],
        checking: asyncio.Task[None],
    ) -> None:
        """Have the batches of all blocks answered, and after each block what is to be judged of it.
        Raises EngineError."""
        ready = ahead = None
        try:
            batches = [(batch, batch is block[-1]) for block in blocks for batch in block]
            coming = [batch for batch, _ in batches[1:]]
            for (batch, last), following in itertools.zip_longest(batches, coming):
                ready = ahead or asyncio.create_task(self._asking.prepare(batch))
                await asyncio.wait({ready})
                ahead = asyncio.create_task(self._asking.prepare(following)) if following else None
                await self._batch(batch, ready, finished)
                if last:
                    await self._judge(finished)
                if checking.done():
                    return
            if self._deaths and (error := await self._error_of_known()):
                raise error
        finally:
            for task in (ready, ahead):
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
        as any of them may be what it dies of. Raises EngineError."""
        left, made = [*batch], [ready]
        put = self._unjudged.append if self.plan.judges else finished.put_nowait
        try:
            await self._pause.through(lambda: self._answer(left, put, made.pop() if made else None))
            return
        except EngineError as error:
            log.warning("an evaluation's batch failed: %s", error)
        for group in left:
            await self._alone(group, put)
        self._open = {}

    async def _alone(self, group: Group, put: Callable[[list[Asked]], None]) -> None:
        """Have a group answered by itself; where the engine dies in it, row by row. Raises EngineError
        when it can do nothing any more."""
        rows = group.by_row
        if len(rows) > 1 and await self._error_of(group, put) is None:
            return
        found: list[Asked] = []
        fatal: EngineError | None = None
        for row in rows:
            error = fatal or await self._error_of(row, found.extend)
            if error is None:
                continue
            self._deadly.add(group.number)
            lost = self._asking.asked(row)
            for it in lost:
                it.output.state, it.output.error, it.died = State.FAILED, str(error), True
            found += lost
            self._done += len(lost)
            fatal = fatal or await self._error_after_death(self._error_of_known)
        put(found)
        if fatal is not None:
            raise fatal

    async def _error_of(
        self, group: Group, put: Callable[[list[Asked]], None]
    ) -> EngineError | None:
        """What the engine died with twice, asked for these answers alone; None where it gave them."""
        try:
            alone = partial(self._answer, [group], put)
            await once_more(partial(self._pause.through, alone))
        except EngineError as error:
            return error
        return None

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
            self._deaths, self._fine = 0, group
            self._tell()

        await self._compute(dict(self._open), over)

    async def _error_after_death(
        self, known: Callable[[], Awaitable[EngineError | None]]
    ) -> EngineError | None:
        """Count one more row that the engine died with. After some in a row it is asked for what it
        could do; the error of that."""
        self._deaths += 1
        if self._deaths < MOST_DEATHS:
            return None
        error = await known()
        self._deaths = 0
        return error

    async def _error_of_known(self) -> EngineError | None:
        """What the engine says to a group that it could do, or else to any that it has not died in."""
        others = (it for it in reversed(self.plan.groups()) if it.number not in self._deadly)
        known, done = self._fine or next(others, None), self._done
        if known is None:
            return EngineError("The engine died with every row that it was asked.")
        error = await self._error_of(known, lambda asked: None)
        self._done = done
        return error

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
        """Ask the judges about all that is generated, one group after the other; where the engine dies
        in one twice, row by row. Raises EngineError when it dies again and again."""
        for it in itertools.chain.from_iterable(self._unjudged):
            output = it.output
            self._hear(output.variant.name, it.place, output.repeat, it.answer, output.error)
        while self._unjudged:
            each = self._unjudged.pop(0)
            fatal: EngineError | None = None
            rows = [[*row] for _, row in itertools.groupby(each, key=lambda it: it.place)]
            whole = len(rows) > 1 and await self._error_of_judging(each) is None
            for row in () if whole else rows:
                error = fatal or await self._error_of_judging(row)
                if error is not None:
                    for it in row:
                        it.died = True
                    fatal = fatal or await self._error_after_death(self._error_of_judged)
            finished.put_nowait(each)
            if fatal is not None:
                raise fatal

    async def _error_of_judging(self, asked: Sequence[Asked]) -> EngineError | None:
        """What the engine died with twice, asked to judge these; None where it did."""
        try:
            asking = partial(judge, self.runner, self.plan, asked, self._baseline)
            await once_more(partial(self._pause.through, asking))
        except EngineError as error:
            return error
        if any(it.output.state is State.DONE for it in asked):
            self._deaths, self._judged = 0, asked
        return None

    async def _error_of_judged(self) -> EngineError | None:
        """What the engine says to what it could judge."""
        if not self._judged:
            return EngineError("The engine died with every answer that it was to judge.")
        return await self._error_of_judging([replace(it, judged={}) for it in self._judged])

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


def _blocks(groups: Sequence[Group], deadly: Collection[int]) -> list[list[list[Group]]]:
    """Of every ROWS rows, which no group goes beyond, the batches: all large groups together; of the
    small ones, which the engine would decode together, one of each lane at a time. Groups with one of
    the `deadly` numbers come last, and so do blocks that have any: they are judged as a whole."""
    found: list[tuple[bool, list[list[Group]]]] = []
    for _, block in itertools.groupby(groups, key=lambda group: group.row // ROWS):
        fresh: list[Group] = []
        died: list[Group] = []
        for group in block:
            (died if group.number in deadly else fresh).append(group)
        found.append((bool(died), [*_batches(fresh), *_batches(died)]))
    return [batches for _, batches in sorted(found, key=lambda each: each[0])]


def _batches(groups: Sequence[Group]) -> Iterator[list[Group]]:
    large = [group for group in groups if not group.small]
    small: dict[int, list[Group]] = {}
    for group in groups:
        if group.small:
            small.setdefault(group.lane, []).append(group)
    if large:
        yield large
    for each in itertools.zip_longest(*small.values()):
        yield [group for group in each if group is not None]
