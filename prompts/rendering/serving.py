"""The loop of a helper process, with its limits: JSON lines in, JSON lines out.

The process is run with its MEMORY_MB as the only argument. It says it is ready with an empty line,
answers each request line with one line, and ends when its input does.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_GRACE_S = 0.5


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests until the input ends; each holds `deadline_s`."""
    memory_mb = int(sys.argv[1])
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        _limit_memory(memory_mb * 2**20)
        answers.write(b"\n")
        answers.flush()
        for line in requests:
            request = json.loads(line)
            # Ends the process even from inside a call that never lets go of the interpreter, for
            # when the parent that would kill it is gone.
            faulthandler.dump_traceback_later(
                request["deadline_s"] + _GRACE_S, exit=True, file=nowhere
            )
            answered = answer(request)
            faulthandler.cancel_dump_traceback_later()
            answers.write(json.dumps(answered).encode() + b"\n")
            answers.flush()


def _limit_memory(extra_bytes: int) -> None:
    """Allow this much address space beyond what is in use; only Linux can say what that is."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return
    import resource

    in_use = int(statm.read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = in_use + extra_bytes
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
