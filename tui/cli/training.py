"""Carry out a training for a command: what happens on stderr, signals stop it, its adapters are kept."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..amounts import size, span
from .asked import Asked
from .found import open_library
from .printing import note
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...compare.tuning.data import CheckedData
    from ...compare.tuning.events import Event, Sampled
    from ...compare.tuning.plan import TuningPlan
    from ...compare.tuning.record import Record
    from ...compare.tuning.tuner import Places, Tuner
    from ...compare.tuning.work import Work
    from ...models.tuning.estimate import Estimate
    from ...models.tuning.tasks import Done

SHOWN = 60
"""Characters of a question or an answer that a line has."""


def places() -> Places:
    """Where trainings keep what they need."""
    from ...compare.tuning.tuner import Places
    from ..paths import cache_dir, log_dir, state_dir

    return Places(state_dir(), cache_dir(), log_dir())


def work_of(plan: TuningPlan) -> Work:
    """What a training would go on from."""
    from ...compare.tuning.work import Work

    return Work(places().state, plan.out)


@contextlib.contextmanager
def interruptible(plan: TuningPlan) -> Iterator[None]:
    """Where that is ended by a signal, say how it goes on."""
    from .commands import EndedError

    try:
        yield
    except (KeyboardInterrupt, EndedError):
        say_going_on(plan)
        raise


def say_going_on(plan: TuningPlan) -> None:
    """How it goes on with what there is, if there is something."""
    work = work_of(plan)
    if work.unfinished() is not None:
        note(f"The same with --resume goes on; if you never will, delete {work.folder}.")


async def checked(plan: TuningPlan) -> CheckedData:
    """The rows of a plan, checked. Raises a mistake."""
    from ...compare.tuning.data import check_data
    from ..paths import suite_folders
    from .session import runner

    async with runner(Asked(history=False)) as it:
        with ProgressLine() as line:
            return await check_data(it, plan, open_library(), suite_folders(), line.show)


async def train(
    plan: TuningPlan, *, resume: bool, on_data: Callable[[CheckedData], None]
) -> tuple[CheckedData, list[Record], int]:
    """Check the rows, tell `on_data`, and train: what came of each adapter, and the signal that
    stopped it, 0 for none.

    Raises a mistake, ModelError for a training that failed, and EngineError when its process died.
    """
    from ...compare.tuning.data import check_data
    from ...compare.tuning.tuner import Tuner
    from ...models.engine.client import EngineError
    from ...models.errors import ModelError
    from ..paths import suite_folders
    from .session import runner

    where = places()
    async with runner(Asked(history=False)) as it:
        with ProgressLine() as line:
            data = await check_data(it, plan, open_library(), suite_folders(), line.show)
        on_data(data)
        tuner = Tuner(it, plan, data, where, resume=resume)
        said = _going_on(tuner, resume=resume)
        if said:
            note(said)
        with ProgressLine() as line, _stopping(tuner) as came:
            watch = _Watch(line)
            try:
                async with contextlib.aclosing(tuner.events()) as events:
                    async for event in events:
                        watch.hear(event)
            except ModelError as error:
                if not came:
                    raise
                line.say(str(error))  # stopped before there was anything to keep
            except EngineError as error:
                there = tuner.unfinished
                more = f" --resume goes on from step {there.reached.step:,}." if there else ""
                raise EngineError(f"{error}{more}") from None
        return data, watch.records, came[0] if came else 0


def _going_on(tuner: Tuner, *, resume: bool) -> str:
    """What is to be known of an earlier training of the same adapter."""
    there = tuner.unfinished
    if there is None:
        return "There is nothing to go on with: it begins anew." if resume else ""
    reached = f"step {there.reached.step:,} of {there.reached.steps:,}"
    if len(there.plan.adapters) > 1:
        reached += f" of {there.plan.adapters[there.reached.adapter - 1].out.name}"
    if resume:
        return f"A training that came to {reached} is gone on with."
    return f"A training of {tuner.plan.out.name} came to {reached}, with which --resume would have gone on. It is forgotten once the new one has a checkpoint."  # fmt: skip


@contextlib.contextmanager
def _stopping(tuner: Tuner) -> Iterator[list[int]]:
    """While it trains, the first signal stops it and is in what is given; a second one ends it."""
    loop, came = asyncio.get_running_loop(), list[int]()
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    known = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {it: found for it in known if (found := signal.getsignal(it)) != signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)

    def stop(number: int) -> None:
        came.append(number)
        restore()
        if number == signal.SIGHUP:  # which shells send once more when their terminal is gone
            signal.signal(number, signal.SIG_IGN)
        tuner.stop()

    for number in before:
        loop.add_signal_handler(number, stop, number)
    try:
        yield came
    finally:
        restore()


class _Watch:
    """Says what happens."""

    def __init__(self, line: ProgressLine) -> None:
        self.records: list[Record] = []
        self._line = line
        self._answers: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        """Say what happened. Raises ModelError where that is the end without an adapter."""
        from ...compare.tuning.events import AdapterBegun, Sampled
        from ...compare.tuning.record import Record
        from ...models.errors import ModelError
        from ...models.tuning.tasks import Begun, Done, Estimated, Failed, Stepped, Validated

        say = self._line.say
        if isinstance(event, AdapterBegun):
            self.records.append(Record(event.adapter))
            self._answers.clear()
            rows = "" if event.adapter.rows is None else f", {event.adapter.rows:,} rows"
            if event.of > 1:
                say(f"{event.number} of {event.of}: {event.adapter.out.name}{rows}")
            self._line.show("starting", 0.0, "loading what trains")
            return
        record = self.records[-1]
        record.hear(event)
        match event:
            case Estimated():
                say(f"{'Measured' if event.measured else 'Estimated'}: {estimate(event.estimate)}.")
            case Begun():
                at = f", from step {event.step:,} on" if event.step else ""
                say(f"{event.parameters:,} parameters are trained on {event.device} in {event.precision}{at}.")  # fmt: skip
            case Stepped():
                self._line.show("training", record.step / record.steps, _now(record))
            case Validated():
                best = ", the best so far" if event.best else ""
                say(f"step {event.step:,} of {record.steps:,}: loss {record.losses[-1][1]:.4f}, held out {event.loss:.4f}{best}")  # fmt: skip
            case Sampled():
                self._sampled(event)
            case Done():
                say(self._done(record, event))
            case Failed():
                kept = f" The adapter of its last checkpoint is {event.kept}." if event.kept else ""
                raise ModelError(f"{event.message}{kept}")
            case _:
                pass

    def _sampled(self, event: Sampled) -> None:
        """The answers that are other than they were."""
        for it in event.samples:
            was = self._answers.get(it.question, it.before)
            if it.now != was:
                then, now = _parted(was, it.now)
                right = " ✓" if it.now.strip() == it.expected.strip() else ""
                self._line.say(f"step {event.step:,}: {_short(it.question)}: {then} → {now}{right}")
            self._answers[it.question] = it.now

    def _done(self, record: Record, event: Done) -> str:
        said = f"{record.adapter.out.name} is of step {event.step:,}"
        if event.why == "patience":
            said += f"; the loss held out fell no more, so it ended after {event.steps:,}"
        if event.why == "stopped":
            said += f", the best until it was stopped after {event.steps:,} of {record.steps:,}"
        return f"{said}. It took {span(event.seconds)} and {size(event.peak_bytes)} of memory."


def estimate(it: Estimate) -> str:
    """What a training takes, in words."""
    time = "a time not known" if it.seconds is None else f"about {span(it.seconds)}"
    return (
        f"{it.steps:,} steps, {it.tokens:,} tokens, {it.parameters:,} parameters, {time}, "
        f"about {size(it.memory_bytes)} of memory"
    )


def _now(record: Record) -> str:
    last, held = record.last, record.validations
    assert last is not None
    parts = [f"{record.step:,} of {record.steps:,}", f"{span(last.left_s)} left"]
    parts.append(f"loss {record.losses[-1][1]:.3f}")
    if held:
        parts.append(f"held out {held[-1][1]:.3f}")
    return " · ".join([*parts, f"{last.tokens_per_s:,.0f} tokens/s", size(last.memory_bytes)])


def _parted(one: str, other: str) -> tuple[str, str]:
    """Both in short, from the word in which they part where that is far in."""
    words = one.split(), other.split()
    same = [a for a, _ in itertools.takewhile(lambda it: it[0] == it[1], zip(*words, strict=False))]
    if len(" ".join(same)) < SHOWN // 2:
        return _short(one), _short(other)
    one, other = (_short(f"…{' '.join(it[len(same) :])}") for it in words)
    return one, other


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= SHOWN else f'{line[:SHOWN]}…'}”"
