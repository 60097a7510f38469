"""Several processes that train one adapter together, each on its share of every batch.

`accelerate launch` starts them, one for each GPU. All carry out the same job; the first of them
alone listens, tells, and writes files. Nothing is wrapped in torch's DistributedDataParallel: it
divides gradients by the number of processes where a step divides by its learned tokens, and wants
as many backward passes of each process, where a small batch has a row for some of them only.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..errors import ModelError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

LAUNCHED = "launched"
"""Behind the job's path on the command line of a process that is one of several."""
_LONGEST_WAIT = timedelta(days=365)
"""That of a pause; whoever dies is missed by `accelerate launch`, not by a timeout."""
_MISSED_S = 10.0
"""Seconds in which `accelerate launch` has missed whoever died, and ended the others."""
_ENVIRONMENT = {
    "PYTHONSAFEPATH": "1",
    "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
    "NCCL_SOCKET_IFNAME": "lo",
}


@dataclass(frozen=True)
class Group:
    """The processes that train together: this one is number `rank`, from 0, of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """This one listens, tells, and writes files."""
        return self.rank == 0

    def share(self, rows: Sequence[T]) -> Sequence[T]:
        """Which rows of a batch this process computes."""
        return rows[self.rank :: self.size]

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """Each number, added up over the processes."""

        import torch

        if self.size == 1:
            return list(numbers)
        added = torch.tensor(numbers, dtype=torch.float64)
        with _all_there():
            torch.distributed.all_reduce(added)
        return added.tolist()

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Have the gradients of all processes, added up, in each of them."""

        import torch

        if self.size == 1:
            return
        parts = [torch.zeros_like(it) if it.grad is None else it.grad for it in parameters]
        flat = torch.cat([it.flatten() for it in parts])
        with _all_there():
            torch.distributed.all_reduce(flat)
        sizes = [it.numel() for it in parameters]
        for it, part in zip(parameters, flat.split(sizes), strict=True):
            it.grad = part.view_as(it)

    def agreed(self, said: T) -> T:
        """What the first process says."""

        import torch

        if self.size == 1:
            return said
        box = [said]
        with _all_there():
            torch.distributed.broadcast_object_list(box)
        return box[0]

    def each(self, said: T) -> list[T]:
        """What each process says, in their order."""

        import torch

        if self.size == 1:
            return [said]
        found: list[Any] = [None] * self.size
        with _all_there():
            torch.distributed.all_gather_object(found, said)
        return found

    def check(self, check: Callable[[], None]) -> None:
        """Have the first process check something; what it refuses all of them do. Raises ModelError."""
        refused = ""
        if self.first:
            try:
                check()
            except ModelError as error:
                refused = str(error)
        if refused := self.agreed(refused):
            raise ModelError(refused)


@contextlib.contextmanager
def _all_there() -> Iterator[None]:
    """What fails where another process has died; whoever is left waits to be ended, so that it is seen
    which one that was."""
    try:
        yield
    except RuntimeError:
        time.sleep(_MISSED_S)
        raise


ALONE = Group()


def wanted(processes: int) -> int:
    """How many processes are to train where a setting says `processes`; 0 is one for each GPU.

    Raises ModelError for more than there are GPUs.
    """

    import torch

    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if there and processes > there:
        raise ModelError(
            f"processes is {processes}, and torch has {there} GPU{'s' if there > 1 else ''}, of which "
            f"each process needs one; set processes={there}, or leave it out."
        )
    return processes or max(1, there)


def launch(module: str, job: Path, processes: int) -> NoReturn:
    """Be `accelerate launch`, which starts so many processes of the module on the job, and ends with
    them, or ends them when one dies, and then as that one did."""
    os.environ.update(_ENVIRONMENT)
    sys.stdout = sys.stderr  # the other is for reports
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing import api
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    api.logger.setLevel(logging.CRITICAL)  # its last words would hide those of the one that failed
    command = [
        "--multi_gpu", "--num_machines", "1", "--num_processes", str(processes),
        "--gpu_ids", "all",  # whatever the person has configured accelerate to use
        "--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no",
        "--log_dir", str(job.parent / "launch"),
        "--module", module, str(job), LAUNCHED,
    ]  # fmt: skip
    try:
        launch_command(launch_command_parser().parse_args(command))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        print(f"Process {rank + 1} of {processes} failed.", file=sys.stderr, flush=True)
        _end_as(failure.exitcode)
    os._exit(0)


def _end_as(code: int) -> NoReturn:
    """End this process as one with this return code did."""
    if code < 0:
        with contextlib.suppress(OSError):  # of SIGKILL there is nothing to put back
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(max(1, code))


def join() -> Group:
    """The group that `accelerate launch` started this process for, on the GPU that is its own."""

    import torch

    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl"
    torch.distributed.init_process_group(backend, timeout=_LONGEST_WAIT)
    return Group(torch.distributed.get_rank(), torch.distributed.get_world_size())
