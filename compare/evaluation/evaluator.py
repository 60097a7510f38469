"""Runs a plan on the engine, in the background: unit by unit, each answer checked as it comes."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import (
    BACKGROUND,
    AdapterUse,
    Failed,
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
from .plan import Place, Plan, Unit, lane_of

UNITS = 8
"""Units that the engine is asked for at once: it goes from one to the next without waiting."""
MOST_DEATHS = 3
"""Units in a row in which the engine may die before that is no row's fault."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far an evaluation has come: answers of all, and tokens generated since it began."""

    answers: int
    of: int
    tokens: int


class Evaluator:
    """One evaluation. Use from one asyncio loop; `run` once.

    `on_unit` is called with the answers of each unit, checked, as soon as they are; `on_progress`
    several times a second. Nothing of a unit comes twice.
    """

    def __init__(
        self,
        runner: Runner,
        plan: Plan,
        on_unit: Callable[[list[Checked]], None],
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.runner = runner
        self.plan = plan
        self._on_unit = on_unit
        self._on_progress = on_progress
        checks = [it.check for it in plan.suite.checks]
        self._scores = any(isinstance(it, Likelihood) for it in checks)
        self.generates = not all(isinstance(it, Likelihood) for it in checks)
        self._used: dict[str, set[str]] = {}
        """By a variant's name, the variables that its prompt has."""
        self._going_on = asyncio.Event()
        self._going_on.set()
        self._done = 0
        self._tokens = 0
        self._deaths = 0

    # -------------------------------------------------------------------- pausing

    def pause(self) -> None:
        """Begin no further units until `go_on`; those that are under way are finished."""
        self._going_on.clear()

    def go_on(self) -> None:
        self._going_on.set()

    # -------------------------------------------------------------------- running

    async def check(self) -> None:
        """See that the plan can be run: files that fit, and rows that give the prompts what they use.

        Raises CompareError, ModelError, PromptError or EngineError.
        """
        kept: list[LoadedModel] = []
        for variant in self.plan.variants:
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
        """Run all units of which answers are not `done`. Errors of a row are its answers' own.

        Raises as `check`, and EngineError when the engine dies again and again.
        """
        if not self._used:
            await self.check()
        left = self.plan.left(done)
        self._done = self.plan.answers - sum(len(self.plan.places(unit)) for unit in left)
        self._tell()
        finished: asyncio.Queue[list[Asked] | None] = asyncio.Queue()
        checking = asyncio.create_task(self._check_all(finished))
        try:
            preparing = None
            for batch in _batches(left, UNITS):
                await self._going_on.wait()
                ready = await (preparing or self._prepare(batch))
                following = batch[-1].number + 1
                rest = [unit for unit in left if unit.number >= following][:UNITS]
                preparing = asyncio.create_task(self._prepare(rest)) if rest else None
                try:
                    await self._batch(ready, finished)
                except BaseException:
                    if preparing:
                        preparing.cancel()
                    raise
                if checking.done():
                    break
            finished.put_nowait(None)
            await checking
        finally:
            checking.cancel()

    # ------------------------------------------------------------------ preparing

    async def _prepare(self, units: Sequence[Unit]) -> dict[int, list[Asked]]:
        """What is asked, by unit, each prompt rendered once for all variants that share it."""
        asked = {unit.number: self._asked(unit) for unit in units}
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

    def _asked(self, unit: Unit) -> list[Asked]:
        variants = {variant.name: variant for variant in self.plan.variants}
        found: list[Asked] = []
        for place, name, repeat in self.plan.places(unit):
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
        self, asked: Mapping[int, list[Asked]], finished: asyncio.Queue[list[Asked] | None]
    ) -> None:
        """Have the engine answer these units. One that it dies in is run once more, alone."""
        open_units = dict(asked)

        def over(unit: int) -> None:
            self._deaths = 0
            finished.put_nowait(open_units.pop(unit))

        try:
            await self._compute(asked, over)
            return
        except EngineError as error:
            log.warning("an evaluation's batch failed: %s", error)
        plan_units = {unit.number: unit for unit in self.plan.units()}
        for number in list(open_units):
            again = await self._prepare([plan_units[number]])
            open_units |= again
            try:
                await self._compute(again, over)
            except EngineError as error:
                self._deaths += 1
                if self._deaths >= MOST_DEATHS:
                    raise
                for it in again[number]:
                    it.output.error = it.output.error or str(error)
                finished.put_nowait(open_units.pop(number))

    async def _compute(self, asked: Mapping[int, list[Asked]], over: Callable[[int], None]) -> None:
        """Generate, then score what is to be scored; `over` is told each unit. Raises EngineError."""
        if self.generates:
            await self._generate(asked, () if self._scores else over)
        if self._scores:
            await self._score([it for each in asked.values() for it in each])
        if self._scores or not self.generates:
            for unit in list(asked):
                over(unit)

    async def _generate(
        self, asked: Mapping[int, list[Asked]], over: Callable[[int], None] | tuple[()]
    ) -> None:
        open_answers: dict[int, int] = {}
        by_model: dict[int, tuple[LoadedModel, list[tuple[int, int, Asked]]]] = {}
        for unit, each in asked.items():
            for group, it in _grouped(unit, each):
                if it.ready is not None:
                    model = it.ready.model
                    by_model.setdefault(model.key, (model, []))[1].append((unit, group, it))
                    open_answers[unit] = open_answers.get(unit, 0) + 1
        for unit in asked.keys() - open_answers.keys():
            if over:
                over(unit)

        async def stream(model: LoadedModel, them: list[tuple[int, int, Asked]]) -> None:
            requests, heard = [], {}
            for unit, group, it in them:
                assert it.ready is not None
                request = self.runner.request(
                    it.ready, it.output, exact=self.plan.exact, group=group, priority=BACKGROUND
                )
                requests.append(request)
                heard[request.id] = (unit, it)
                it.output.stamp.prompt_text = it.ready.text
            async for events in self.runner.engine.generate(model, requests):
                for event in events:
                    unit, it = heard[event.id]
                    apply_event(it.output, event)
                    if isinstance(event, Failed) and not event.refused:
                        raise EngineError(event.message)
                    if it.output.state.over:
                        self._count(it.output)
                        open_answers[unit] -= 1
                        if over and not open_answers[unit]:
                            over(unit)

        await asyncio.gather(*(stream(*each) for each in by_model.values()))

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

        await asyncio.gather(*(stream(*each) for each in by_model.values()))

    # ------------------------------------------------------------------- checking

    async def _check_all(self, finished: asyncio.Queue[list[Asked] | None]) -> None:
        while (asked := await finished.get()) is not None:
            checked = await asyncio.to_thread(self._check, asked)
            self._on_unit(checked)
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


def _batches(units: Sequence[Unit], size: int) -> Iterator[Sequence[Unit]]:
    for start in range(0, len(units), size):
        yield units[start : start + size]


def _grouped(unit: int, asked: Sequence[Asked]) -> Iterator[tuple[int, Asked]]:
    """Each answer with its group: those of a lane that are decoded together, whole rows or, where a
    row alone is wider than a lane, whole repeats."""
    from .plan import WIDTH

    lanes: dict[tuple[object, ...], int] = {}
    for it in asked:
        lane = lane_of(it.output.variant)
        lanes[lane] = lanes.get(lane, 0) + 1
    repeats = 1 + max(it.output.repeat for it in asked)
    for it in asked:
        wide = lanes[lane_of(it.output.variant)]
        part = it.output.repeat * wide // (WIDTH * repeats) if wide > WIDTH else 0
        yield unit * 10_000 + part, it
