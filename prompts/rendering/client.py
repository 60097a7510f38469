"""The parent's end of a helper process: start it, ask it, stop it when it takes too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ..errors import PromptError
from .limits import DEADLINE_S, MAX_ANSWER_BYTES, MEMORY_MB, START_S


class HelperProcess:
    """One warm child process; started at the first request and again after each that killed it.

    Safe to use from several threads; requests are answered one at a time.
    """

    def __init__(
        self,
        deadline_s: float = DEADLINE_S,
        memory_mb: int = MEMORY_MB,
        module: str = f"{__package__}.helper_process",
        work: str = "template",
    ) -> None:
        """`module` is run as the child (see `serving`); `work` is what errors call its task."""
        self.deadline_s = deadline_s
        self.memory_mb = memory_mb
        self._module, self._work = module, work
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.pid if self._child else None

    def warm(self) -> None:
        """Start the child without waiting until it is ready."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the child; a later request starts another."""
        with self._lock:
            self._stop()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The helper's answer, an object with `result` or `error`.

        Raises PromptError when the request takes longer than the deadline, needs more memory than
        allowed, produces too much, or ends the child in any other way.
        """
        line = json.dumps({**request, "deadline_s": self.deadline_s}).encode() + b"\n"
        with self._lock:
            try:
                return self._answer(self._running(), line)
            except BaseException:
                # Whatever it was, an interrupt by the person included, the child may still be at
                # work on this request.
                self._stop()
                raise

    def _answer(self, child: subprocess.Popen[bytes], line: bytes) -> dict[str, Any]:
        if not self._ready:
            if self._exchange(child, b"", START_S) != b"\n":
                raise PromptError(
                    f"the {self._work} helper does not start (exit code {self._stop()})"
                )
            self._ready = True
        began = time.monotonic()
        answer = self._exchange(child, line, self.deadline_s)
        if not answer.endswith(b"\n"):
            if time.monotonic() - began >= self.deadline_s:
                raise PromptError(
                    f"the {self._work} took longer than {self.deadline_s:g} s and was stopped"
                )
            raise PromptError(f"the {self._work} ended its helper process; another will be started")
        reply: dict[str, Any] = json.loads(answer)
        if reply.get("error", {}).get("kind") == "memory":
            raise PromptError(
                f"the {self._work} needed more than {self.memory_mb} MB of memory and was stopped"
            )
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._stop()
        # The child imports from where this process does, however that was installed, and -P keeps
        # it from looking in the current folder as well.
        paths = [str(Path(p).absolute()) for p in sys.path if p and Path(p).exists()]
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module, str(self.memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        return self._child

    def _exchange(self, child: subprocess.Popen[bytes], line: bytes, deadline_s: float) -> bytes:
        """Send a line and read one back; what there is of it if the child ends or is too slow."""
        assert child.stdin is not None and child.stdout is not None
        timer = threading.Timer(deadline_s, child.kill)
        timer.daemon = True
        timer.start()
        try:
            child.stdin.write(line)
            child.stdin.flush()
            return child.stdout.readline(MAX_ANSWER_BYTES)
        except OSError:
            return b""
        finally:
            timer.cancel()

    def _stop(self) -> int | None:
        """End the child if there is one; its exit code."""
        child, self._child, self._ready = self._child, None, False
        if child is None:
            return None
        child.kill()
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        return code
