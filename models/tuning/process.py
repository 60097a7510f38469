"""The process that trains: does the job in the file that it is given, and reports a line at a time.

Run as `python -m llamadiff.models.tuning.process JOB`. Standard input carries commands; its end
means that nobody waits any more, and the process ends at once, with the last checkpoint kept.
Standard output carries the reports; both are moved away first, so that whatever a library prints
lands in the log on file descriptor 2. Where several processes are to train, this one becomes their
launcher; all of them have both, of which the first one alone reads the one, and the others write to
the other only what ends them.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from pathlib import Path
from typing import BinaryIO

import msgspec
import psutil

from ..errors import ModelError
from ..gguf.check import check_model
from .control import Agreed, Control, Stopped
from .extra import missing_extra
from .parallel import ALONE, LAUNCHED, Group, join, launch, wanted
from .session import Session
from .tasks import Done, Failed, GoOn, Job, Pause, Report, Stop, line, read_command, read_job

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


def _end_with(stream: BinaryIO) -> None:
    """End this process with whoever started it: with the stream of commands, of which nothing is read
    here."""

    def watch() -> None:
        end = select.poll()
        end.register(stream, 0)
        end.poll()
        os._exit(0)

    threading.Thread(target=watch, name="end", daemon=True).start()


def _work(job: Job, reports: Reports, control: Control, group: Group) -> Done | Failed | None:
    try:
        facts = check_model(Path(job.base))
        return Session(job, facts, reports.say, control, group).run()
    except ModelError as error:
        return Failed(str(error))


def _processes(job: Job) -> int:
    """How many are to train, where that is known before torch says what is missing."""
    return 1 if missing_extra() else wanted(job.settings.processes)


def main() -> None:
    commands, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.nice(max(0, NICENESS - psutil.Process().nice()))
    _end_with(commands)
    path, launched = Path(sys.argv[1]), sys.argv[2:] == [LAUNCHED]
    job, reports = read_job(path.read_bytes()), Reports(out)
    if not launched:
        try:
            processes = _processes(job)
        except ModelError as error:
            reports.say(Failed(str(error)))
            os._exit(0)
        if processes > 1:
            os.dup2(commands.fileno(), 0)
            os.dup2(out.fileno(), 1)
            launch("llamadiff.models.tuning.process", path, processes)
    code = 0
    try:
        group = join() if launched else ALONE
        heard = Commands(commands) if group.first else None
        control = heard if heard and group.size == 1 else Agreed(group, heard)
        last = _work(job, reports, control, group)
        if last is not None:
            reports.say(last)
    except Exception:  # which nobody foresaw
        traceback.print_exc()
        code = 1
    os._exit(code)  # without waiting for torch's threads to be taken down


if __name__ == "__main__":
    main()
