"""Tries grammars in a copy of the process, where llama.cpp may hang, abort or eat memory unharmed."""

from __future__ import annotations

import functools
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .chain import Grammar
from .native import Model, NativeError, schema_to_grammar

CPU_S = 3
WALL_S = 20.0
MEMORY = 1 << 30
"""Bytes beyond what the process has already."""
KEPT = 64


class Grammars:
    """Grammars that have been tried, so that one is tried only once."""

    def __init__(self) -> None:
        self.tried = functools.lru_cache(KEPT)(_tried)

    def text(self, model: Model, grammar: str | None, schema: str | None) -> str | None:
        """The GBNF text for a request with a grammar or a JSON Schema, or None if it has neither.

        Raises NativeError for one that cannot be used.
        """
        if grammar is None and schema is None:
            return None
        return self.tried(model, grammar, schema)


def _tried(model: Model, grammar: str | None, schema: str | None) -> str:
    what = "grammar" if schema is None else "JSON Schema"

    def work() -> str:
        text = grammar if schema is None else schema_to_grammar(schema)
        assert text is not None
        native = Grammar(model, text)
        zeros = np.zeros(model.n_vocab, np.float32)
        for _ in range(2):
            allowed = native.allowed(zeros)
            if allowed.size == 0:
                break
            native.accept(int(allowed[0]))
        return text

    return _in_a_copy(work, f"The {what} takes too much time or memory; make it simpler.")


def _in_a_copy(work: Callable[[], str], too_much: str) -> str:
    """What `work` returns, run in a fork with little time and memory.

    Raises the NativeError that it raised, or one that says `too_much` when it came to no end.
    """
    answer_fd, child_fd = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(work, child_fd)
    os.close(child_fd)
    answer = _read(answer_fd)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if answer[:1] == b"+":
        return answer[1:].decode()
    raise NativeError(answer[1:].decode() if answer[:1] == b"-" else too_much)


def _answer(work: Callable[[], str], fd: int) -> None:
    """In the copy: do the work, write how it went, and end without returning."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if size := _address_space():
            resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        answer = b"+" + work().encode()
    except NativeError as error:
        answer = b"-" + str(error).encode()
    except BaseException:
        os._exit(1)
    with open(fd, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)


def _read(fd: int) -> bytes:
    """All that comes before the end of file; nothing when that takes too long."""
    parts: list[bytes] = []
    end = time.monotonic() + WALL_S
    try:
        while select.select([fd], [], [], max(0.0, end - time.monotonic()))[0]:
            part = os.read(fd, 65_536)
            if not part:
                return b"".join(parts)
            parts.append(part)
        return b""
    finally:
        os.close(fd)


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
