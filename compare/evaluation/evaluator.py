"""Runs a plan on the engine, in the background: group by group, each answer checked as it comes."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import BACKGROUND, Failed, Request
from ...models.engine.samplers import parse_value
from ...prompts.errors import PromptError
from ..checks.likelihood import Likelihood
from ..conversation import given_turns
from ..errors import MISTAKES, CompareError
from ..prepare import Prepared
from ..run import Output, State
from ..runner import Runner, apply_event
from ..variants import Variant
from .answers import Asked, Checked
from .judging import judge
from .plan import Group, Plan
from .scoring import all_of, score
from .variants import called

ROWS = 32
"""Rows that the engine is asked for at once: it goes from group to group without waiting."""
TRIED = 3
"""Rows of which one at least must make a prompt of each variant."""
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
    several times a second. Nothing of a group comes twice.
    """

    def __init__(
        self,
        runner: Runner,
        plan: Plan,
        on_group: Callable[[list[Checked]], None],
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.runner = runner
        self.plan = plan
        self._on_group = on_group
        self._on_progress = on_progress
        checks = [it.check for it in plan.suite.checks]
        self._scores = any(isinstance(it, Likelihood) for it in checks)
        self._used: dict[str, set[str]] = {}
        """By a variant's name, the variables that its prompt has."""
        self._going_on = asyncio.Event()
        self._going_on.set()
        self._unjudged: list[list[Asked]] = []
        """Answers of groups that are generated, while the judges wait for those of the baseline."""
        self._baseline: dict[tuple[int, int], str] = {}
        """The baseline's answers, by row and repeat."""
        self.standing = False
        """It is paused, and all that was under way is finished."""
        self._done = 0
        self._tokens = 0
        self._deaths = 0

    # -------------------------------------------------------------------- pausing

    def pause(self) -> None:
        """Begin no further rows until `go_on`; those that are under way are finished."""
        self._going_on.clear()

    def go_on(self) -> None:
        self._going_on.set()

    async def _until_going_on(self) -> None:
        self.standing = not self._going_on.is_set()
        await self._going_on.wait()
        self.standing = False

    # -------------------------------------------------------------------- running

    async def check(self) -> None:
        """See that the plan can be run: files that fit, and rows that give the prompts what they use.

        Raises CompareError, ModelError, PromptError or EngineError.
        """
        kept: list[LoadedModel] = []
        for variant in (*self.plan.variants, *self.plan.judges.values()):
            kept.append(await self.runner.load(variant, keep=kept))
        self._used = await asyncio.to_thread(self._find_used)
        columns = set(self.plan.rows[0].values)
        for variant in self.plan.variants:
            used = self._used[variant.name] - variant.values.keys()
            if not used & columns:
                raise CompareError(
                    f"{self.plan.suite.path}: the prompt {variant.prompt.name} of variant "
                    f"{variant.name} asks about no column of the dataset; it uses "
                    f"{', '.join(sorted(used)) or 'no variables'}, the dataset has "
                    f'{", ".join(sorted(columns))}: write columns = {{ VARIABLE = "COLUMN" }}.'
                )
        for variant in self.plan.variants:
            await self._try(variant)

    async def _try(self, variant: Variant) -> None:
        """Raise what is wrong with a variant's prompt, where it is wrong for every row tried."""
        wrong: PromptError | None = None
        for place in range(min(TRIED, len(self.plan.rows))):
            output = Output(variant, 0, 0)
            given_turns(output, self.plan.rows[place].turns)
            try:
                await self._prepared(output, place)
                return
            except CompareError:  # this row is too long, and says nothing of others
                return
            except PromptError as error:
                wrong = wrong or error
        if wrong is not None:
            said = f"{self.plan.suite.path}: variant {called(variant)}: {wrong}"
            raise CompareError(said if said.endswith("?") else f"{said}.")

    def _find_used(self) -> dict[str, set[str]]:
        return {
            variant.name: {it.name for it in variant.prompt.variables}
            | set(self.runner.renderer.template_variables(variant.prompt))
            for variant in self.plan.variants
        }

    async def run(self, before: Sequence[Checked] = ()) -> None:
        """Run all groups of which answers are not there `before`. Errors of a row are its answers' own.

        Raises as `check`, and EngineError when the engine dies again and again.
        """
        if not self._used:
            await self.check()
        for answer in before:
            self._hear(answer.variant, answer.row, answer.repeat, answer.answer, answer.error)
        left = self.plan.left({answer.place for answer in before})
        self._done = self.plan.answers - sum(len(group.places) for group in left)
        self._tell()
        finished: asyncio.Queue[list[Asked] | None] = asyncio.Queue()
        checking = asyncio.create_task(self._check_all(finished))
        preparing: asyncio.Task[dict[Group, list[Asked]]] | None = None
        try:
            batches = [(batch, batch is block[-1]) for block in _blocks(left) for batch in block]
            coming = [batch for batch, _ in batches[1:]]
            for (batch, last), following in itertools.zip_longest(batches, coming):
                await self._until_going_on()
                asked = await (preparing or self._prepare(batch))
                preparing = asyncio.create_task(self._prepare(following)) if following else None
                await self._batch(asked, finished)
                if last:
                    await self._judge(finished)
                if checking.done():
                    break
            finished.put_nowait(None)
            await checking
        finally:
            checking.cancel()
            if preparing:
                preparing.cancel()

    def _hear(self, name: str, row: int, repeat: int, answer: str, error: str | None) -> None:
        if name == self.plan.baseline.name and error is None:
            self._baseline[row, repeat] = answer

    # ------------------------------------------------------------------ preparing

    async def _prepare(self, groups: Sequence[Group]) -> dict[Group, list[Asked]]:
        """What is asked, each prompt rendered once for all variants that share it."""
        asked = {group: self._asked(group) for group in groups}
        shared: dict[tuple[object, ...], list[Asked]] = {}
        for each in asked.values():
            for it in each:
                variant = it.output.variant
                own = tuple(sorted(variant.values.items()))
                key = (it.place, variant.model, id(variant.prompt), own)
                shared.setdefault(key, []).append(it)

        async def prepare(them: list[Asked]) -> None:
            first = them[0]
            try:
                ready = await self._prepared(first.output, first.place)
            except MISTAKES as mistake:
                for it in them:
                    it.output.state, it.output.error = State.FAILED, str(mistake)
                    it.output.refused = True
                return
            for it in them:
                it.ready = ready

        await asyncio.gather(*map(prepare, shared.values()))
        return asked

    def _asked(self, group: Group) -> list[Asked]:
        variants = {variant.name: variant for variant in self.plan.variants}
        found: list[Asked] = []
        for place, name, repeat in group.places:
            variant = variants[name]
            own = {**variant.prompt.sampling, **variant.sampling}.get("seed", 0)
            seed = int(str(parse_value("seed", own))) + repeat
            found.append(Asked(place, Output(variant, repeat, seed)))
            given_turns(found[-1].output, self.plan.rows[place].turns)
        return found

    async def _prepared(self, output: Output, place: int) -> Prepared:
        used = self._used[output.variant.name]
        values = {k: v for k, v in self.plan.rows[place].values.items() if k in used}
        return await self.runner.prepare(output.variant, values, output=output)

    # ----------------------------------------------------------------- generating

    async def _batch(
        self, asked: Mapping[Group, list[Asked]], finished: asyncio.Queue[list[Asked] | None]
    ) -> None:
        """Have the engine answer these groups. One that it dies in is run once more, alone."""
        open_groups = dict(asked)
        put = self._unjudged.append if self.plan.judges else finished.put_nowait

        def over(group: Group) -> None:
            self._deaths = 0
            put(open_groups.pop(group))

        try:
            await self._compute(asked, over)
            return
        except EngineError as error:
            log.warning("an evaluation's batch failed: %s", error)
        for group in list(open_groups):
            self._done -= sum(it.output.state.over for it in open_groups[group])
            again = await self._prepare([group])
            open_groups |= again
            try:
                await self._compute(again, over)
            except EngineError as error:
                self._died(error)
                for it in again[group]:
                    it.output.error = it.output.error or str(error)
                put(open_groups.pop(group))

    def _died(self, error: EngineError) -> None:
        """Count it; raise the error when there were too many in a row."""
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise error

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
            try:
                try:
                    await judge(self.runner, self.plan, each, self._baseline)
                except EngineError as error:
                    log.warning("a judge's batch failed: %s", error)
                    await judge(self.runner, self.plan, each, self._baseline)
                self._deaths = 0
            except EngineError as error:
                self._died(error)
                for it in each:
                    it.output.error = it.output.error or str(error)
            finished.put_nowait(each)

    async def _generate(
        self, asked: Mapping[Group, list[Asked]], over: Callable[[Group], None]
    ) -> None:
        open_answers: dict[Group, int] = {}
        by_model: dict[int, tuple[LoadedModel, list[tuple[Group, Asked]]]] = {}
        for group, each in asked.items():
            open_answers[group] = 0
            for it in each:
                if it.ready is None:
                    self._done += 1
                    continue
                model = it.ready.model
                by_model.setdefault(model.key, (model, []))[1].append((group, it))
                open_answers[group] += 1
            if not open_answers[group]:
                over(group)

        async def stream(model: LoadedModel, them: list[tuple[Group, Asked]]) -> None:
            requests: list[Request] = []
            heard: dict[int, tuple[Group, Output]] = {}
            for group, it in them:
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
                        self._count(output)
                        open_answers[group] -= 1
                        if not open_answers[group]:
                            over(group)

        await all_of(stream(*each) for each in by_model.values())

    # ------------------------------------------------------------------- checking

    async def _check_all(self, finished: asyncio.Queue[list[Asked] | None]) -> None:
        while (asked := await finished.get()) is not None:
            checked = await asyncio.to_thread(self._check, asked)
            self._on_group(checked)
            if not self.plan.generates:
                self._done += len(checked)
                self._tell()

    def _check(self, asked: Sequence[Asked]) -> list[Checked]:
        rows, checks = self.plan.rows, self.plan.suite.checks
        return [it.checked(rows[it.place], checks, generates=self.plan.generates) for it in asked]

    def _count(self, output: Output) -> None:
        self._done += 1
        self._tokens += len(output.tokens)
        self._tell()

    def _tell(self) -> None:
        self._on_progress(Progress(self._done, self.plan.answers, self._tokens))


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
