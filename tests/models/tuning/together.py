"""Trainings by several processes that are forked from one that has imported all they need.

What `accelerate launch` does is not among it: this is about what they compute. `carry_out_together`
has this file run as a program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning import estimate
from llamadiff.models.tuning.control import Agreed, Stopped
from llamadiff.models.tuning.parallel import ALONE, Group
from llamadiff.models.tuning.session import Session
from llamadiff.models.tuning.tasks import Failed, Job, Report, Stepped, line, read_report


class Asked(msgspec.Struct):
    """A job for so many processes. It is paused for a moment after the step `pause_at`, and stopped
    within what is looked at after the step `stop_at`; `free` bytes of memory are there."""

    job: Job
    processes: int = 2
    pause_at: int = 0
    stop_at: int = 0
    free: int | None = None


class Person:
    """Asks for it, and writes down what is told."""

    def __init__(self, asked: Asked, told: Path) -> None:
        self._asked, self._told = asked, told.open("wb")
        self._step, self._looks, self.paused = 0, 0, False

    def say(self, report: Report) -> None:
        self._told.write(line(report))
        self._told.flush()
        if isinstance(report, Stepped):
            self._step = report.losses[-1][0]
            self.paused = self._step == self._asked.pause_at

    def check(self) -> None:
        self._looks += self._step == self._asked.stop_at > 0
        if self._looks == 2:  # the first batch is done
            raise Stopped

    def wait(self) -> None:
        self.paused = False


def carry_out_together(folder: Path, asked: Sequence[Asked]) -> list[list[Report]]:
    """Do one after the other; what each told, with its last report."""
    file = folder / "asked"
    file.write_bytes(msgspec.json.encode(asked))
    done = subprocess.run(
        [sys.executable, __file__, str(file)], capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    texts = [_told(file, number).read_bytes() for number in range(len(asked))]
    return [[read_report(it) for it in text.splitlines()] for text in texts]


def _told(file: Path, number: int) -> Path:
    return file.with_name(f"told {number}")


def _take_part(it: Asked, rank: int, meeting: Path, told: Path) -> None:
    """Do one process's part."""

    import torch

    group = ALONE
    if it.processes > 1:
        at = {"init_method": f"file://{meeting}", "rank": rank, "world_size": it.processes}
        torch.distributed.init_process_group("gloo", timeout=timedelta(seconds=100), **at)
        group = Group(rank, it.processes)
    if (free := it.free) is not None:
        estimate.available_memory = lambda: free
    person = Person(it, told) if group.first else None
    say = person.say if person else lambda report: None
    control = person if person and group.size == 1 else Agreed(group, person)
    try:
        last = Session(it.job, check_model(Path(it.job.base)), say, control, group).run()
    except ModelError as error:
        last = Failed(str(error))
    if person and last:
        person.say(last)
    assert last or not group.first


def main() -> None:
    import peft  # noqa: F401  # what is imported now need not be by each process
    from transformers import LlamaForCausalLM  # noqa: F401

    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    file = Path(sys.argv[1])
    for number, it in enumerate(msgspec.json.decode(file.read_bytes(), type=list[Asked])):
        started: list[int] = []
        for rank in range(it.processes):
            if (pid := os.fork()) == 0:
                try:
                    _take_part(it, rank, file.with_name(f"meeting {number}"), _told(file, number))
                    os._exit(0)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
            started.append(pid)
        ended = [os.waitpid(pid, 0)[1] for pid in started]
        if any(ended):
            sys.exit(1)


if __name__ == "__main__":
    main()
