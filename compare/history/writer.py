"""The one thread that writes to the database: what comes together is one commit, twice a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import CompareError

if TYPE_CHECKING:
    import sqlite3

INTERVAL_S = 0.5
"""From something to write until it is written; with the commit itself well under a second."""

T = TypeVar("T")
Job = Callable[["sqlite3.Connection"], object]
"""Writes something. It is called again when the commit failed."""


class Broken(Exception):
    """Something could not be written, by its own `error`; nothing of it was."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def whole(connection: sqlite3.Connection, job: Callable[[sqlite3.Connection], T]) -> T:
    """Do a job within a transaction, or nothing of it.

    Raises Broken for what is the job's own fault, and what is not, such as a full disk, as it is.
    """
    import sqlite3

    connection.execute("SAVEPOINT job")
    try:
        value = job(connection)
    except Exception as error:
        own = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, own):
            raise
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        raise Broken(error) from error
    connection.execute("RELEASE job")
    return value


class Steady(Protocol):
    """What is written with every commit, for as long as it is `busy`."""

    @property
    def busy(self) -> bool: ...

    def write(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Write what is new; returns what is to be done once that is committed.

        What cannot be written is left out: it must not take the rest with it.
        """
        ...

    def start_over(self) -> None:
        """Nothing of what was written is there any more."""
        ...


@dataclass(frozen=True)
class _Asked:
    job: Job
    result: Future[Any] | None = None
    """For a caller that waits."""


class Writer:
    """Opens `file` when there is something to write, and writes in a thread of its own.

    `on_trouble` is called in that thread with a sentence for the person, once for each trouble.
    """

    def __init__(
        self, file: Path, steady: Sequence[Steady], on_trouble: Callable[[str], None]
    ) -> None:
        self.file = file
        self.off = ""
        """Why nothing is written, once the file could not be opened."""
        self.renewals = 0
        """How often a damaged file was put aside: who reads it has to open it again."""
        self._steady = steady
        self._on_trouble = on_trouble
        self._jobs: list[_Asked] = []
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._said = ""
        self._left_out = False
        """A job of the last commit broke."""

    # ------------------------------------------------- from any other thread

    def put(self, job: Job) -> None:
        """Have a job done soon. One that breaks is left out and told; the others are not."""
        self._put(_Asked(job))

    def _put(self, asked: _Asked) -> None:
        with self._lock:
            if self.off or self._closing:
                if asked.result is not None:
                    asked.result.set_exception(CompareError(self.off or "The history is closed."))
                return
            self._jobs.append(asked)
        self.wake()

    def wake(self) -> None:
        """See to it that there is a commit soon."""
        with self._lock:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="history", daemon=True)
                self._thread.start()
        self._wanted.set()

    def call(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Have something done now, after all that was put before, and wait for what it gives.

        Raises what it raises, and CompareError when nothing can be written.
        """
        result: Future[T] = Future()
        self._put(_Asked(job, result))
        self._hurry.set()
        return result.result()

    @property
    def waits(self) -> bool:
        """Whether there is something to write, now or as it comes."""
        return bool(self._jobs) or any(steady.busy for steady in self._steady)

    def flush(self) -> None:
        """Write what waits, and wait for it; without a word when nothing can be written."""
        if self.waits:
            result: Future[None] = Future()
            self._put(_Asked(lambda _: None, result))
            self._hurry.set()
            result.exception()

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._lock:
            self._closing = True
        self._wanted.set()
        self._hurry.set()
        if self._thread is not None:
            self._thread.join()

    # -------------------------------------------------------- in the thread

    def _work(self) -> None:
        from .database import open_for_writing

        try:
            self._connection, said = open_for_writing(self.file)
            try:
                self._say(said)
                self._go_on()
            finally:
                self._connection.close()
        except Exception as error:
            said = _sentence(error)
            self._say(said)
            with self._lock:
                self.off = said
                left, self._jobs = self._jobs, []
            _refuse(left, self.off)

    def _go_on(self) -> None:
        over = False
        while not over:
            self._wanted.wait()
            self._hurry.wait(INTERVAL_S)
            over = self._closing
            self._wanted.clear()
            self._hurry.clear()
            self._write()
            if self.waits:
                self._wanted.set()

    def _write(self) -> None:
        import sqlite3

        from .database import cannot, is_damage, put_aside

        with self._lock:
            jobs = list(self._jobs)
        try:
            self._left_out = False
            self._connection.execute("BEGIN IMMEDIATE")
            values = [self._carry_out(asked) for asked in jobs]
            written = [steady.write(self._connection) for steady in self._steady]
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if is_damage(error):
                self._connection.close()
                self._connection, said = put_aside(self.file)
                for steady in self._steady:
                    steady.start_over()
                self.renewals += 1
            else:
                said = cannot("written", self.file, error)
            self._say(said)
            with self._lock:
                # A caller is told, and need not fear that it is done later all the same.
                later = self._jobs[len(jobs) :]
                self._jobs = [asked for asked in jobs if asked.result is None] + later
            _refuse(jobs, said)
            return
        self._said = self._said if self._left_out else ""
        with self._lock:
            del self._jobs[: len(jobs)]
        for tell in written:
            tell()
        for asked, value in zip(jobs, values, strict=True):
            if asked.result is not None and not asked.result.done():
                asked.result.set_result(value)

    def _carry_out(self, asked: _Asked) -> object:
        """Do a job, or nothing of it. Raises what is not the job's fault."""
        try:
            return whole(self._connection, asked.job)
        except Broken as broken:
            if asked.result is not None:
                asked.result.set_exception(broken.error)
            else:
                self._left_out = True
                self._say(_sentence(broken.error))
            return None

    def _say(self, sentence: str) -> None:
        """Tell a trouble once, until something is written again."""
        if sentence and sentence != self._said:
            self._said = sentence
            self._on_trouble(sentence)


def _sentence(error: Exception) -> str:
    if isinstance(error, CompareError):
        return str(error)
    return f"llamadiff made a mistake in its history: {error!r}"


def _refuse(jobs: list[_Asked], reason: str) -> None:
    for asked in jobs:
        if asked.result is not None and not asked.result.done():
            asked.result.set_exception(CompareError(reason))
