"""The process that trains: does the job that its first line describes, and reports a line at a time.

Run as `python -m llamadiff.models.tuning.process`. Standard input carries the job and then
commands; its end means that nobody waits any more, and the process ends at once, with the last
checkpoint kept. Standard output carries the reports; both are moved away first, so that whatever a
library prints lands in the log on file descriptor 2.
"""

from __future__ import annotations

import os
import threading
import traceback
from pathlib import Path
from typing import BinaryIO

import msgspec
import psutil

from ..errors import ModelError
from ..gguf.check import check_model
from .session import Session
from .tasks import Failed, GoOn, Job, Pause, Report, Stop, line, read_command, read_job
from .trainer import Stopped

NICENESS = 10
"""Below the engine's: what a person looks at comes first."""


class Commands:
    """What is asked of the training, as a thread reads it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._may_run = threading.Event()
        self._may_run.set()
        self._stopped = False
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    @property
    def paused(self) -> bool:
        return not self._may_run.is_set()

    def check(self) -> None:
        """Raises Stopped once the training is to end."""
        if self._stopped:
            raise Stopped

    def wait(self) -> None:
        """Until it may go on. Raises Stopped."""
        self._may_run.wait()
        self.check()

    def _read(self) -> None:
        for text in self._stream:
            try:
                command = read_command(text)
            except msgspec.DecodeError:
                traceback.print_exc()
                os._exit(os.EX_PROTOCOL)
            match command:
                case Pause():
                    self._may_run.clear()
                case GoOn():
                    self._may_run.set()
                case Stop():
                    self._stopped = True
                    self._may_run.set()
        os._exit(0)


class Reports:
    """Writes reports to whoever started the process."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def say(self, report: Report) -> None:
        try:
            self._out.write(line(report))
            self._out.flush()
        except BrokenPipeError:
            os._exit(0)


def _work(job: Job, reports: Reports, commands: Commands) -> Report:
    try:
        return Session(job, check_model(Path(job.base)), reports.say, commands).run()
    except ModelError as error:
        return Failed(str(error))


def main() -> None:
    commands, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.nice(max(0, NICENESS - psutil.Process().nice()))
    job = read_job(commands.readline())
    reports = Reports(out)
    reports.say(_work(job, reports, Commands(commands)))
    os._exit(0)  # without waiting for torch's threads to be taken down


if __name__ == "__main__":
    main()
