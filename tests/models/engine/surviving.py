"""Asking the engine for what could end its worker, and seeing that it did not."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Request, Sampling

from ...conftest import Heard, listen
from .asking import NEVER_END

PROMPT = list(range(300, 340))
ROOM = 3 * 2**30
"""Bytes that a worker may still take where a test could take all there are."""
PEAK = 10**9
"""Bytes; a worker that refuses something never had more."""


async def ask(
    engine: Engine, model: LoadedModel, *requests: Request, patience_s: float = 60
) -> list[Heard]:
    """What requests said; the worker must be the same afterwards, and still generate."""
    pid = engine.pid
    async with asyncio.timeout(patience_s):
        heard = await listen(engine, model, requests)
    assert pid and engine.pid == pid, heard[0].failure
    async with asyncio.timeout(patience_s):
        (after,) = await listen(engine, model, [short(engine, tokens=[20, 21, 22])])
    assert len(after.tokens) == 5
    return heard


def short(engine: Engine, **changes: object) -> Request:
    given: dict[str, object] = {
        "tokens": PROMPT,
        "sampling": Sampling(max_tokens=5, logit_bias=NEVER_END),
    }
    return Request(engine.new_id(), **(given | changes))  # type: ignore[arg-type]


async def refusal(
    engine: Engine, model: LoadedModel, patience_s: float = 60, **changes: object
) -> str:
    """Why the engine refuses a request that differs from a good one by these changes."""
    (heard,) = await ask(engine, model, short(engine, **changes), patience_s=patience_s)
    assert heard.failure and not heard.tokens and "\n" not in heard.failure
    return heard.failure


@contextmanager
def confined(engine: Engine) -> Iterator[None]:
    """Let the worker take no more than ROOM besides what it has."""
    if sys.platform != "linux":
        pytest.skip("needs prlimit")
    assert engine.pid
    pages = int(Path(f"/proc/{engine.pid}/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ROOM
    pid, before = engine.pid, resource.prlimit(engine.pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, before[1]))
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is that of what comes now
    yield
    resource.prlimit(pid, resource.RLIMIT_AS, before)


def peak(engine: Engine) -> int:
    """The most bytes the worker had in memory since it was confined."""
    status = Path(f"/proc/{engine.pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
