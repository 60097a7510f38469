"""A training as the program sees it: a process of its own, listened to and told what to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from ..engine.client import Engine, EngineError
from ..engine.loads import LoadedModel
from ..engine.process import cause_of_end, last_words, open_log
from ..engine.protocol import Failed as NotScored
from ..engine.protocol import Scored, ScoreRequest
from ..errors import ModelError
from .extra import missing_extra
from .files import written_whole
from .rows import Row, sequences
from .tasks import Command, Done, Failed, GoOn, Job, Pause, Report, Stop, line, read_report

_LINE_LIMIT = 1 << 26
"""Bytes of a report: the losses of a training that goes on come in one."""
ENDING_S = 2.0
"""Seconds in which a process that says no more has ended by itself."""
_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait leave their cores to others
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # or cuBLAS is not deterministic
}


class Tuning:
    """One run of a training. Libraries print to `log`."""

    def __init__(self, job: Job, log: Path) -> None:
        self.job, self._log = job, log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, once there is one."""
        return self._process.pid if self._process else None

    def pause(self) -> None:
        """Have it save a checkpoint at the end of the step, and wait."""
        self._tell(Pause())

    def go_on(self) -> None:
        """Have it go on after a pause."""
        self._tell(GoOn())

    def stop(self) -> None:
        """Have it end, and finish the best adapter so far."""
        self._tell(Stop())

    async def reports(self) -> AsyncGenerator[Report]:
        """Start it; what it tells, the last of which is Done or Failed.

        Whoever leaves early ends the process; the job with `resume` goes on from its last checkpoint.
        Raises ModelError without the extra that tuning needs and where the job cannot be written,
        EngineError when the process dies.
        """
        if missing := missing_extra():
            raise ModelError(missing)
        file = Path(self.job.work) / "job"
        written_whole(file, line(self.job))
        start = await self._start(file)
        process = self._process
        assert process and process.stdin and process.stdout
        try:
            async for text in process.stdout:
                try:
                    report = read_report(text)
                except msgspec.DecodeError:
                    if not text.endswith(b"\n"):
                        break  # it was ended in the middle of it
                    raise EngineError(
                        f"The process that trains said what cannot be read. Its log is {self._log}."
                    ) from None
                yield report
                if isinstance(report, Done | Failed):
                    return
            said = last_words(self._log, start)
            why = cause_of_end(await _ended(process), "The process that trains")
            raise EngineError(
                f"{why} {f'It last said: {said} ' if said else ''}Its log is {self._log}."
            )
        finally:
            process.stdin.close()  # a pipe that is open when the loop ends complains
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            await process.stdout.read()  # until all who train have ended, where they are several
            with contextlib.suppress(OSError):
                await process.stdin.wait_closed()

    async def _start(self, job: Path) -> int:
        """Start the process on the job; the length of the log then. Raises EngineError."""
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            errors = open_log(self._log)
        except OSError as error:
            raise EngineError(f"The log {self._log} cannot be written: {error.strerror}.") from None
        try:
            start = os.fstat(errors).st_size
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "llamadiff.models.tuning.process", str(job),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
                env=os.environ | _ENVIRONMENT, start_new_session=True, limit=_LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:
            raise EngineError(
                f"The process that trains cannot be started: {error.strerror}."
            ) from None
        finally:
            os.close(errors)
        return start

    def _tell(self, command: Command) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(line(command))


async def _ended(process: asyncio.subprocess.Process) -> int:
    """How a process ended that says no more; it is made to, if it does not. To kill one that has
    ended would take its exit status away."""
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(process.wait(), ENDING_S)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    return await process.wait()


async def reference_of(engine: Engine, model: LoadedModel, row: Row) -> tuple[float, ...]:
    """A job's `reference`: the engine's log-probabilities of the row under the base alone.

    Raises ModelError and EngineError as the engine does.
    """
    tokens = list(sequences([row])[0].tokens)
    found: list[float] = []
    request = ScoreRequest(engine.new_id(), tokens, 1)
    async for events in engine.score(model, [request]):
        for event in events:
            if isinstance(event, Scored):
                found += [it.logprob for it in event.logprobs]
            elif isinstance(event, NotScored):
                raise ModelError(event.message)
    return tuple(found)
