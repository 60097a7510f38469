"""Child processes that need no start of an interpreter: forked from one that has imported theirs.

An engine's worker imports for 0.3 s of processor time before it says its first word, and a test of
the app starts one each; a process that trains imports torch and its kin for some seconds. Here one
process per module, the template, imports once what its children will. A child is a fork of it that
runs the module's `main`, with the arguments, environment, folder and descriptors it was to have, in
a session of its own. It is a child of the process of the tests as any other is: it is waited for,
killed and listened to in the same ways.

The template is this file, run as `python -P warm.py MODULE SOCKET_FD`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

MODULES = {
    "llamadiff.compare.checks.helper_process": (),
    "llamadiff.models.bench.bare": (),
    "llamadiff.models.engine.worker": (),
    "llamadiff.models.writing.worker": (),
    "llamadiff.prompts.rendering.helper_process": (),
    "llamadiff.models.tuning.process": (
        "torch", "peft", "transformers.models.llama.modeling_llama",
        "transformers.modeling_gguf_pytorch_utils",
    ),
}  # fmt: skip
"""Those that are forked, each with what it imports only once it works."""
PYTHON = sys.executable
"""A test that puts something else in its place has that started."""
ENVIRONMENT = {"GGML_NO_BACKTRACE": "1", "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""What libraries read when they are imported."""
PR_SET_CHILD_SUBREAPER = 36
LIMIT = 1_000_000
"""Bytes of a request, which holds the environment."""
HIGH = 500
"""Descriptors from here on are nobody's."""

_cold = subprocess.Popen[Any]._execute_child  # pyright: ignore[reportAttributeAccessIssue]
_lock = threading.Lock()


def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have children that run one of MODULES forked for the rest of the test, on Linux alone."""
    if sys.platform == "linux":
        monkeypatch.setattr(subprocess.Popen, "_execute_child", _execute_child)


def _execute_child(
    self: Any, args: Any, executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any,
    cwd: Any, env: Mapping[str, str] | None, startupinfo: Any, creationflags: Any, shell: Any,
    p2cread: int, p2cwrite: int, c2pread: int, c2pwrite: int, errread: int, errwrite: int,
    *rest: Any,
) -> None:  # fmt: skip
    """What `subprocess.Popen` calls to start the child; asyncio's subprocesses are made by it."""
    if list(args[:3]) != [PYTHON, "-P", "-m"] or args[3] not in MODULES:
        _cold(
            self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo,
            creationflags, shell, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, *rest,
        )  # fmt: skip
        return
    fds = {0: p2cread, 1: c2pwrite, 2: errwrite, **{fd: fd for fd in pass_fds}}
    try:
        with _lock:
            self.pid = _template(args[3]).fork(args[4:], env or os.environ, fds)
        self._child_created = True
    finally:
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)


class Template:
    """The process that children which run `module` are forked from; it ends with this one."""

    def __init__(self, module: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [PYTHON, "-P", __file__, module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **ENVIRONMENT},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork(self, arguments: Sequence[str], env: Mapping[str, str], fds: Mapping[int, int]) -> int:
        """A child's process id; `fds` are the descriptors of this process for each of its own."""
        job = json.dumps([arguments, dict(env), os.getcwd(), list(fds)]).encode()  # noqa: PTH109
        _adopt_orphans(True)
        try:
            socket.send_fds(self._socket, [job], list(fds.values()))
            return int(self._socket.recv(20))
        finally:
            _adopt_orphans(False)


_templates: dict[str, Template] = {}


def _template(module: str) -> Template:
    if module not in _templates:
        _templates[module] = Template(module)
    return _templates[module]


def is_template(pid: int) -> bool:
    """Whether this is a process that only others are forked from."""
    return pid in [it.pid for it in _templates.values()]


def _adopt_orphans(yes: bool) -> None:
    """Whether descendants whose parent ends become children of this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(yes))


# ------------------------------------------------------------- in the template


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    for it in MODULES[sys.argv[1]]:
        importlib.import_module(it)
    requests = socket.socket(fileno=int(sys.argv[2]))
    gc.freeze()
    while True:
        job, fds, _, _ = socket.recv_fds(requests, LIMIT, 16)
        if not job:
            return
        said, say = os.pipe()
        if (between := os.fork()) == 0:
            if (child := os.fork()) == 0:
                _become(module, fds, *json.loads(job))
            os.write(say, str(child).encode())
            os._exit(0)
        for fd in (*fds, say):
            os.close(fd)
        os.waitpid(between, 0)
        requests.send(os.read(said, 20))
        os.close(said)


def _become(
    module: Any, given: list[int], arguments: list[str], env: dict[str, str], folder: str,
    own: list[int],
) -> None:  # fmt: skip
    """Run the module as a child that was started so."""
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        for at, fd in zip(own, [fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH) for fd in given], strict=True):
            os.dup2(fd, at)
        for fd in set(range(HIGH + len(given))) - set(own):
            with contextlib.suppress(OSError):
                os.close(fd)
        sys.argv = [module.__file__, *arguments]
        module.main()
        sys.stdout.flush()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
