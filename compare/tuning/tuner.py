"""Carries out a plan: trains each of its adapters, and tells what happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ...models.adapters.training import card_of
from ...models.engine.protocol import file_version
from ...models.errors import ModelError
from ...models.hashing import sha256_file
from ...models.tuning.base import weight_files
from ...models.tuning.card import check_place
from ...models.tuning.client import Tuning, reference_of
from ...models.tuning.extra import missing_extra
from ...models.tuning.rows import write_rows
from ...models.tuning.tasks import Begun, Done, Failed, Job, Saved
from ...models.writing.whole import sweep_parts
from ..errors import CompareError
from ..runner import Runner
from .data import CheckedData
from .events import AdapterBegun, Event
from .plan import PlannedAdapter, TuningPlan
from .record import Record
from .samples import Sampler
from .work import Finished, Reached, Unfinished, Work


@dataclass(frozen=True)
class Places:
    """Folders: for what a training goes on from, for what can be made again, and for logs."""

    state: Path
    cache: Path
    log: Path


class Tuner:
    """One plan, carried out once. The runner stays open meanwhile; whoever made it closes it.

    With `resume` what was trained before is gone on with, where there is something.
    """

    def __init__(
        self,
        runner: Runner,
        plan: TuningPlan,
        data: CheckedData,
        places: Places,
        *,
        resume: bool = False,
    ) -> None:
        self.plan = plan
        self._runner, self._data, self._places, self._resume = runner, data, places, resume
        self._work = Work(places.state, plan.out)
        self._tuning: Tuning | None = None
        self._paused = self._stopped = False

    def pause(self) -> None:
        """Have it save a checkpoint at the end of the step, and wait."""
        self._paused = True
        if self._tuning:
            self._tuning.pause()

    def go_on(self) -> None:
        """Have it go on after a pause."""
        self._paused = False
        if self._tuning:
            self._tuning.go_on()

    def stop(self) -> None:
        """Have it end, and write the best adapter so far."""
        self._stopped = True
        if self._tuning:
            self._tuning.stop()

    @property
    def unfinished(self) -> Unfinished | None:
        """What there is to go on with."""
        return self._work.unfinished()

    def discard(self) -> None:
        """Forget what it would go on from: it is over, and so is what came after."""
        self._work.discard()

    async def events(self) -> AsyncGenerator[Event]:
        """Train; what happens, as it does. Ends after the last Done, that of a stop, or Failed.

        Whoever leaves early ends the training at once; another Tuner goes on from its last
        checkpoint. Raises CompareError or ModelError for what is refused before anything is written,
        EngineError when the process that trains dies.
        """
        refuse(self.plan)
        if self._data.problem:
            raise CompareError(self._data.problem)
        with self._work.held(), _swept(self.plan):
            self._work.begin(self.plan, anew=not self._resume)
            adapters = self.plan.adapters
            for number, adapter in enumerate(adapters, start=1):
                yield AdapterBegun(adapter, number, len(adapters))
                async with contextlib.aclosing(self._train(adapter, number)) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, Failed):
                            return
                if self._stopped:
                    return

    async def _train(self, adapter: PlannedAdapter, number: int) -> AsyncGenerator[Event]:
        """Raises ModelError and EngineError."""
        job, rows_sha256 = await self._job(adapter)
        base = " ".join(map(file_version, (self.plan.base, *weight_files(self.plan.weights))))
        if self._resume:
            known = self._work.finished(adapter, job, rows_sha256, base)
            if known is not None:
                yield known.begun
                yield known.done
                return
        reference = await self._reference(adapter)
        asked = msgspec.structs.replace(job, resume=self._resume, reference=reference)
        tuning = self._tuning = Tuning(asked, self._places.log / "tuning.log")
        record = Record(adapter)
        async with contextlib.aclosing(_with_samples(tuning, self._sampler(adapter))) as events:
            async for event in events:
                record.hear(event)
                if isinstance(event, Saved):
                    self._work.reach(Reached(number, event.step, record.steps))
                if isinstance(event, Done) and event.why != "stopped":
                    version = file_version(adapter.out)
                    finished = Finished(job, rows_sha256, base, version, record.whole, event)
                    self._work.finish(adapter, finished)
                yield event
                if isinstance(event, Begun):
                    self._say_again(tuning)

    async def _reference(self, adapter: PlannedAdapter) -> tuple[float, ...]:
        """What the base is held against before the first step; nothing for other weights than its."""
        if self.plan.weights is not None:
            return ()
        rows = self._data.rows(adapter)
        first = (rows.train or rows.train_pairs)[0]
        return await reference_of(self._runner.engine, self._data.prepared.model, first)

    def _sampler(self, adapter: PlannedAdapter) -> Sampler:
        held_out = self._data.part(adapter).validation
        return Sampler(self._runner.engine, self._data.prepared.model, held_out)

    def _say_again(self, tuning: Tuning) -> None:
        """What was asked for before the process listened."""
        if self._stopped:
            tuning.stop()
        elif self._paused:
            tuning.pause()

    async def _job(self, adapter: PlannedAdapter) -> tuple[Job, str]:
        """What the process that trains is to do, and the hash of its rows, which are written. Raises
        ModelError."""
        plan, data, folder = self.plan, self._data, self._work.of(adapter)
        file = folder / "rows"
        await asyncio.to_thread(write_rows, data.rows(adapter), file)
        job = Job(
            base=str(plan.base),
            rows=str(file),
            work=str(folder),
            out=str(adapter.out),
            cache_dir=str(self._places.cache),
            settings=data.settings,
            weights=plan.weights and str(plan.weights),
            data_sha256=data.sha256,
            data_checks=data.checks,
            data_keys=data.keys(adapter),
            threads=plan.threads,
        )
        return job, await asyncio.to_thread(sha256_file, file, None)


def refuse(plan: TuningPlan) -> None:
    """Raise ModelError for what is known before rows are read: the extra that tuning needs is missing,
    or an adapter or its card would replace something else, or cannot be written."""
    if missing := missing_extra():
        raise ModelError(missing)
    for adapter in plan.adapters:
        check_place(adapter.out, [plan.base, plan.data])


@contextlib.contextmanager
def _swept(plan: TuningPlan) -> Iterator[None]:
    """Without what a process that was killed left beside the files that it wrote."""

    def sweep() -> None:
        for adapter in plan.adapters:
            place = Path(os.path.realpath(adapter.out))
            sweep_parts(place)
            sweep_parts(card_of(place))

    sweep()
    try:
        yield
    finally:
        sweep()


async def _with_samples(tuning: Tuning, sampler: Sampler) -> AsyncGenerator[Event]:
    """What the training tells, and what its newest checkpoint answers, as soon as that is known; what
    the finished adapter answers comes before the last event. Raises as `Tuning.reports`."""
    told: asyncio.Queue[Event | None] = asyncio.Queue()
    newest: asyncio.Queue[Saved] = asyncio.Queue()

    async def sample(step: int, adapter: str) -> None:
        if (sampled := await sampler.sample(step, Path(adapter))) is not None:
            told.put_nowait(sampled)

    async def sample_all() -> None:
        while True:
            saved = await newest.get()
            while not newest.empty():
                saved = newest.get_nowait()
            await sample(saved.step, saved.adapter)

    async def listen() -> None:
        last: Done | Failed | None = None
        async with contextlib.aclosing(tuning.reports()) as reports:
            async for report in reports:
                if isinstance(report, Done | Failed):
                    last = report
                    continue  # to the end of the process, which nobody is to interrupt
                if isinstance(report, Saved):
                    newest.put_nowait(report)
                told.put_nowait(report)
        if isinstance(last, Done):
            sampling.cancel()
            await sample(last.step, last.adapter)
        told.put_nowait(last)

    sampling, listening = asyncio.create_task(sample_all()), asyncio.create_task(listen())
    listening.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (event := await told.get()) is not None:
            yield event
        await listening
    finally:
        for task in (sampling, listening):
            task.cancel()
        await asyncio.gather(sampling, listening, return_exceptions=True)
