"""How much memory a training takes, now and at most: on a GPU, what torch has there."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import psutil

from .parallel import Group

if TYPE_CHECKING:
    import torch

_KIB = 1 if sys.platform == "darwin" else 1024
"""What ru_maxrss counts in."""


def memory_now(device: torch.device, group: Group) -> int:
    """Bytes that the processes of the group have, all of which ask: on a CPU together, of GPUs the one
    with the most."""

    import torch

    if device.type == "cuda":
        return max(group.each(torch.cuda.memory_allocated(device)))
    return sum(group.each(psutil.Process().memory_info().rss))


def memory_peak(device: torch.device, group: Group) -> int:
    """The most that they had, as in `memory_now`; on a CPU each at a time of its own."""

    import torch

    if device.type == "cuda":
        return max(group.each(torch.cuda.max_memory_allocated(device)))
    return sum(group.each(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB))
