"""Tries grammars in a copy of the process, where llama.cpp may hang, abort or eat memory unharmed."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .chain import Grammar
from .native import Model, NativeError, end_with_parent, schema_to_grammar

CPU_S = 3
WALL_S = 20.0
MEMORY = 1 << 30
"""Bytes beyond what the process has already."""
KEPT = 64
RULE = re.compile(r"^\s*([a-zA-Z0-9_-]+)\s*::=", re.MULTILINE)
"""The names of a grammar's rules: each is tried as the start, for what comes late in an output."""


class Grammars:
    """Grammars that have been tried, so that one is tried only once."""

    def __init__(self) -> None:
        self._tried = functools.lru_cache(KEPT)(_tried)

    def text(self, model: Model, grammar: str | None, schema: str | None) -> str | None:
        """The GBNF text for a request with a grammar or a JSON Schema, or None if it has neither.

        Raises NativeError for one that cannot be used.
        """
        if grammar is None and schema is None:
            return None
        found = self._tried(model, grammar, schema)
        if isinstance(found, NativeError):
            raise found
        return found


def _tried(model: Model, grammar: str | None, schema: str | None) -> str | NativeError:
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
        for rule in RULE.findall(text):
            with contextlib.suppress(NativeError):
                Grammar(model, text, rule).close()
        return text

    try:
        return _in_a_copy(work, f"The {what} takes too much time or memory; make it simpler.")
    except NativeError as error:
        return error


def _in_a_copy(work: Callable[[], str], too_much: str) -> str:
    """What `work` returns, run in a fork with little time and memory.

    Raises the NativeError that it raised, or one that says `too_much` when it came to no end.
    """
    answer_fd, child_fd = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(answer_fd)
        os.close(child_fd)
        raise NativeError(f"The system has no room for another process: {error}.") from None
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
        end_with_parent()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
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
