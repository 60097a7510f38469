"""A worker that hangs or dies is reported, ended, and started again with its models."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from llamadiff.models.engine.client import Engine, EngineError
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.process import WorkerProcess
from llamadiff.models.engine.protocol import Delta
from llamadiff.models.engine.threads import LONGEST_RETRY_S, RETRY_S, Governor
from llamadiff.models.engine.watchdog import STEP_LIMIT_S, Watchdog

from ...conftest import listen, until
from .asking import ids, request


@pytest.fixture
async def impatient(tmp_path: Path):
    """An engine that gives up on a silent worker after two seconds."""
    it = Engine(tmp_path / "engine.log", patience_s=2.0)
    yield it
    await it.close()


async def test_a_worker_that_hangs_is_ended_and_started_again_with_its_model(
    impatient: Engine, base: Path
) -> None:
    engine, said = impatient, list[str]()
    engine.on_death = said.append
    model = await engine.load(base)
    tokens = await ids(engine, model)
    hung = engine.pid
    assert hung

    def stop(delta: Delta) -> None:
        if engine.pid == hung:
            os.kill(hung, signal.SIGSTOP)

    (heard,) = await listen(engine, model, [request(engine, tokens, n=900)], stop)
    assert heard.text
    assert heard.failure and "no sign of life" in heard.failure
    assert said == [heard.failure]
    await until(lambda: engine.pid != hung and engine.resident(base))
    again = engine.resident(base)
    assert again
    (after,) = await listen(engine, again, [request(engine, tokens)])
    assert len(after.tokens) == 64


async def test_a_silent_worker_that_nobody_waits_for_is_left_alone(
    impatient: Engine, base: Path
) -> None:
    engine = impatient
    model = await engine.load(base)
    tokens = await ids(engine, model)
    pid = engine.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(3.5)
    os.kill(pid, signal.SIGCONT)
    (heard,) = await listen(engine, model, [request(engine, tokens)])
    assert len(heard.tokens) == 64
    assert engine.pid == pid


async def test_the_last_words_of_the_log_are_told(engine: Engine, model: LoadedModel) -> None:
    said: list[str] = []
    engine.on_death = said.append
    pid = engine.pid
    assert pid
    with engine.log_path.open("a") as log:
        log.write("a line that tells nothing\nggml.c:12: GGML_ASSERT(a == b) failed\x1b[31m\nbye\n")
    os.kill(pid, signal.SIGABRT)
    await until(lambda: said)
    assert "SIGABRT" in said[0]
    assert "It last said: ggml.c:12: GGML_ASSERT(a == b) failed[31m." in said[0]
    assert str(engine.log_path) in said[0]


async def test_a_worker_that_dies_twice_in_a_row_is_not_started_a_third_time(
    engine: Engine, model: LoadedModel
) -> None:
    first = engine.pid
    assert first
    os.kill(first, signal.SIGKILL)
    await until(lambda: engine.pid != first and engine.resident(model.path))
    second = engine.pid
    assert second and second != first
    os.kill(second, signal.SIGKILL)
    await until(lambda: engine.pid is None)
    with pytest.raises(EngineError, match="not running"):
        await engine.tokenize(model, "a", add_special=False)
    assert (await engine.load(model.path)).key != model.key, "but asking for it works"


async def test_a_command_that_the_worker_cannot_read_is_our_mistake_and_says_so(
    engine: Engine, model: LoadedModel
) -> None:
    """It cannot be answered, for nobody knows whom: the worker ends, and its traceback is told."""
    (heard,) = await listen(engine, model, [request(engine, [300], stop="x")])
    assert heard.failure and "exit code 76" in heard.failure
    assert "msgspec.ValidationError" in heard.failure


async def test_what_the_watchdog_complains_of(tmp_path: Path) -> None:
    process = WorkerProcess(tmp_path / "log", lambda events: None, lambda message: None)
    dog = Watchdog(10.0)
    now = process.heard_at

    def complaint(after: float, step_s: float, *, busy: bool = True) -> str | None:
        process.step_s = step_s
        return dog.complaint(process, now + after, {1, 2}, busy=busy)

    assert complaint(9, 9) is None
    assert "no sign of life for 11 s" in (complaint(11, 0) or "")
    assert complaint(11, 0, busy=False) is None
    process.heard_at += 1000
    assert complaint(1000, 500) is None, "a long step is no fault"
    assert "hung" in (complaint(1000, STEP_LIMIT_S + 1) or "")
    dog.cancelled([2, 3])
    assert complaint(9, 9) is None
    assert complaint(1000, 3) is None, "it has gone on since the cancel"
    assert "did not stop" in (complaint(1000, 12) or "")


# ----------------------------------------------------------------- threads that wait for others


def run(governor: Governor, now: float, cores: float, steps: int = 210) -> float:
    """So many decodes of 1 ms on this many cores' worth of processor time; the time after them."""
    for _ in range(steps):
        now += 0.001
        governor.judge(now, 0.001, 0.001 * min(cores, governor.count))
    return now


def test_threads_are_kept_while_they_run() -> None:
    governor = Governor(4)
    run(governor, 0.0, cores=3.9, steps=500)
    assert governor.count == 4


def test_a_thread_that_others_keep_waiting_is_given_up_and_tried_again() -> None:
    governor = Governor(2)
    now = run(governor, 0.0, cores=1.2)
    assert governor.count == 1
    now = run(governor, now + RETRY_S, cores=1.2, steps=201)
    assert governor.count == 2, "it tries"
    now = run(governor, now, cores=1.2)
    assert governor.count == 1, "in vain"
    now = run(governor, now + RETRY_S, cores=1.2)
    assert governor.count == 1, "the next try comes later"
    now = run(governor, now + 2 * RETRY_S, cores=2.0, steps=420)
    assert governor.count == 2
    run(governor, now, cores=2.0, steps=1000)
    assert governor.count == 2


@pytest.mark.parametrize(("threads", "cores", "kept"), [(2, 1.6, 2), (2, 1.4, 1), (8, 7.6, 7)])
def test_a_thread_is_worth_more_than_it_waits(threads: int, cores: float, kept: int) -> None:
    """Of two threads one that runs 60 % of the time is kept: without it half the speed is left."""
    governor = Governor(threads)
    run(governor, 0.0, cores)
    assert governor.count == kept


def test_tries_are_never_further_apart_than_the_limit() -> None:
    governor, now = Governor(8), 0.0
    for _ in range(20):
        now = run(governor, now + LONGEST_RETRY_S, cores=5.0, steps=201)
        assert governor.count == 8 or now < LONGEST_RETRY_S * 2
        now = run(governor, now, cores=5.0, steps=201)
        assert governor.count == 5


@pytest.mark.parametrize("governor", [Governor(1), Governor(4, fixed=True)])
def test_one_thread_or_a_number_that_was_asked_for_stays(governor: Governor) -> None:
    before = governor.count
    run(governor, 0.0, cores=0.1, steps=500)
    assert governor.count == before
