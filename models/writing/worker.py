"""The process that writes model files: does what its first line says, and reports a line at a time.

Run as `python -m llamadiff.models.writing.worker`. Standard input carries the steps, and its end
means that nobody waits any more: what was being written is deleted. Standard output carries the
reports; both are moved away first, so that anything native code prints lands in the log on file
descriptor 2.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import BinaryIO

from ..engine import native
from ..engine.quantizing import Packing, quantize_file
from ..errors import ModelError
from .merging import Change, merge_files, quantized_again
from .tasks import Done, Merge, Progress, Quantize, Refused, Report, Step, line, read_steps

NICENESS = 5
INTERVAL_S = 0.1
"""Between two reports of progress."""


class Reports:
    """Writes reports; of progress only the last one, and ten a second at most."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._next = 0.0

    def say(self, report: Report) -> None:
        self._out.write(line(report))
        self._out.flush()

    def progress(self, report: Progress) -> None:
        now = time.monotonic()
        if now >= self._next or report.done == report.total:
            self._next = now + INTERVAL_S
            self.say(report)


def _end_with(commands: BinaryIO, steps: list[Step]) -> None:
    """Wait until nobody waits for this process; then delete what it wrote, and end it."""
    commands.read()
    for step in steps:
        Path(step.out).unlink(missing_ok=True)
    os._exit(1)


def _work(steps: list[Step], reports: Reports) -> Report:
    change: Change | None = None
    packing = Packing()
    try:
        for step in steps:
            match step:
                case Merge():
                    threads = native.physical_cores()
                    change = merge_files(step, packing, threads, reports.progress)
                case Quantize():
                    source, out = Path(step.source), Path(step.out)
                    quantize_file(
                        source,
                        out,
                        step.file_type,
                        requantize=step.requantize,
                        threads=native.physical_cores(),
                        on_tensor=lambda at, of: reports.progress(Progress("quantizing", at, of)),
                    )
                    if change is not None:
                        change = quantized_again(change, source, out, packing)
    except (ModelError, native.NativeError) as error:
        return Refused(str(error))
    except OSError as error:
        return Refused(f"The file cannot be written: {error.strerror or error}.")
    return Done(change.rounding, list(change.idle)) if change else Done()


def main() -> None:
    commands, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.nice(NICENESS)
    steps = read_steps(commands.readline())
    threading.Thread(target=_end_with, args=(commands, steps), daemon=True).start()
    reports = Reports(out)
    reports.say(_work(steps, reports))


if __name__ == "__main__":
    main()
