"""Runs a plan on the engine, in the background: group by group, each answer checked as it comes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import (
    BACKGROUND,
    AdapterUse,
    Failed,
    Request,
    Scored,
    ScoreRequest,
    file_version,
)
from ...models.engine.samplers import parse_value
from ..checks.likelihood import Likelihood
from ..errors import MISTAKES, CompareError
from ..prepare import Prepared
from ..run import Output, State
from ..runner import Runner, apply_event
from ..variants import Variant
from .answers import Asked, Checked
from .judging import judge
from .plan import Group, Place, Plan

ROWS = 32
"""Rows that the engine is asked for at once: it goes from group to group without waiting."""
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
        self.generates = not all(isinstance(it, Likelihood) for it in checks)
        self._used: dict[str, set[str]] = {}
        """By a variant's name, the variables that its prompt has."""
        self._going_on = asyncio.Event()
        self._going_on.set()
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
        await self._prepared(self.plan.variants[0], 0)

    def _find_used(self) -> dict[str, set[str]]:
        return {
            variant.name: {it.name for it in variant.prompt.variables}
            | set(self.runner.renderer.template_variables(variant.prompt))
            for variant in self.plan.variants
        }

    async def run(self, done: Collection[Place] = ()) -> None:
        """Run all groups of which answers are not `done`. Errors of a row are its answers' own.

        Raises as `check`, and EngineError when the engine dies again and again.
        """
        if not self._used:
            await self.check()
        left = self.plan.left(done)
        self._done = self.plan.answers - sum(len(group.places) for group in left)
        self._tell()
        finished: asyncio.Queue[list[Asked] | None] = asyncio.Queue()
        checking = asyncio.create_task(self._check_all(finished))
        preparing: asyncio.Task[dict[Group, list[Asked]]] | None = None
        try:
            batches = [*_batches(left)]
            for batch, following in itertools.zip_longest(batches, batches[1:]):
                await self._until_going_on()
                asked = await (preparing or self._prepare(batch))
                preparing = asyncio.create_task(self._prepare(following)) if following else None
                await self._batch(asked, finished)
                if checking.done():
                    break
            finished.put_nowait(None)
            await checking
        finally:
            checking.cancel()
            if preparing:
                preparing.cancel()

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
                ready = await self._prepared(first.output.variant, first.place)
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
        return found

    async def _prepared(self, variant: Variant, place: int) -> Prepared:
        used = self._used[variant.name]
        values = self.plan.rows[place].values
        return await self.runner.prepare(variant, {k: v for k, v in values.items() if k in used})

    # ----------------------------------------------------------------- generating

    async def _batch(
        self, asked: Mapping[Group, list[Asked]], finished: asyncio.Queue[list[Asked] | None]
    ) -> None:
        """Have the engine answer these groups. One that it dies in is run once more, alone."""
        open_groups = dict(asked)

        def over(group: Group) -> None:
            self._deaths = 0
            finished.put_nowait(open_groups.pop(group))

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
                self._deaths += 1
                if self._deaths >= MOST_DEATHS:
                    raise
                for it in again[group]:
                    it.output.error = it.output.error or str(error)
                finished.put_nowait(open_groups.pop(group))

    async def _compute(
        self, asked: Mapping[Group, list[Asked]], over: Callable[[Group], None]
    ) -> None:
        """Generate, then score what is to be scored; `over` is told each group. Raises EngineError."""
        plan, later = self.plan, self._scores or bool(self.plan.judges)
        if self.generates:
            await self._generate(asked, (lambda group: None) if later else over)
        if self._scores:
            await self._score([it for each in asked.values() for it in each])
        for group, each in asked.items() if later else ():
            await judge(self.runner, plan.judges, each, plan.rows, exact=plan.exact)
            over(group)

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

        await _all(stream(*each) for each in by_model.values())

    async def _score(self, asked: Sequence[Asked]) -> None:
        """How likely each variant finds what each row expects."""
        texts: dict[tuple[int, str], list[Asked]] = {}
        for it in asked:
            if it.ready is not None and self.plan.rows[it.place].expected:
                texts.setdefault((it.place, it.output.variant.name), []).append(it)
        by_model: dict[int, tuple[LoadedModel, dict[int, list[Asked]], list[ScoreRequest]]] = {}
        for (place, _), them in texts.items():
            ready, variant = them[0].ready, them[0].output.variant
            assert ready is not None
            model = ready.model
            expected = self.plan.rows[place].expected or ""
            tokens = await self.runner.engine.tokenize(model, expected, add_special=False)
            before = ready.tokens.tokens
            if not before or len(before) + tokens.count > model.info.n_ctx:
                continue
            request = ScoreRequest(
                self.runner.engine.new_id(),
                [*before, *tokens.tokens],
                len(before),
                tuple(
                    AdapterUse(str(a.path), a.scale, file_version(a.path)) for a in variant.adapters
                ),
                exact=self.plan.exact,
                priority=BACKGROUND,
            )
            _, heard, requests = by_model.setdefault(model.key, (model, {}, []))
            heard[request.id] = them
            requests.append(request)

        async def stream(
            model: LoadedModel, heard: dict[int, list[Asked]], requests: list[ScoreRequest]
        ) -> None:
            found: dict[int, list[float]] = {}
            async for events in self.runner.engine.score(model, requests):
                for event in events:
                    if isinstance(event, Scored):
                        found.setdefault(event.id, []).extend(t.logprob for t in event.logprobs)
                    elif isinstance(event, Failed) and not event.refused:
                        raise EngineError(event.message)
            for number, logprobs in found.items():
                for it in heard[number]:
                    it.logprob = math.fsum(logprobs) / len(logprobs)

        await _all(stream(*each) for each in by_model.values())

    # ------------------------------------------------------------------- checking

    async def _check_all(self, finished: asyncio.Queue[list[Asked] | None]) -> None:
        while (asked := await finished.get()) is not None:
            checked = await asyncio.to_thread(self._check, asked)
            self._on_group(checked)
            if not self.generates:
                self._done += len(checked)
                self._tell()

    def _check(self, asked: Sequence[Asked]) -> list[Checked]:
        rows, checks = self.plan.rows, self.plan.suite.checks
        return [it.checked(rows[it.place], checks, generates=self.generates) for it in asked]

    def _count(self, output: Output) -> None:
        self._done += 1
        self._tokens += len(output.tokens)
        self._tell()

    def _tell(self) -> None:
        self._on_progress(Progress(self._done, self.plan.answers, self._tokens))


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, be they well or not; then raise the first one's error."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _batches(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Groups of the same rows together; of the small ones, which the engine would decode together,
    one of each lane at a time."""
    for _, block in itertools.groupby(groups, key=lambda group: group.row // ROWS):
        them = list(block)
        if large := [group for group in them if not group.small]:
            yield large
        small: dict[int, list[Group]] = {}
        for group in them:
            if group.small:
                small.setdefault(group.lane, []).append(group)
        for each in itertools.zip_longest(*small.values()):
            yield [group for group in each if group is not None]
