"""How much memory this process takes, now and at most: on a GPU, what torch has there."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

_KIB = 1 if sys.platform == "darwin" else 1024
"""What ru_maxrss counts in."""


def memory_now(device: torch.device) -> int:
    import torch

    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return psutil.Process().memory_info().rss


def memory_peak(device: torch.device) -> int:
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
