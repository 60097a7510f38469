"""The folder of a training, where it goes on after it was stopped, or after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ...models.engine.protocol import file_version
from ...models.errors import ModelError
from ...models.tuning.files import written_whole
from ...models.tuning.tasks import Begun, Done, Job
from ..errors import CompareError
from .plan import PlannedAdapter, TuningPlan, read_plan

_PLAN, _REACHED, _FINISHED, _LOCK = "plan.json", "reached.json", "finished.json", "lock"
_NOW, _BEFORE = "now", "before"


class Reached(msgspec.Struct, frozen=True):
    """How far a plan has come: the adapter that is being trained, counted from 1, and its last
    checkpoint, `step` of `steps`."""

    adapter: int = 1
    step: int = 0
    steps: int = 0


class Finished(msgspec.Struct, frozen=True):
    """An adapter that was trained to the end: by what job, on rows with which hash, the versions
    (`file_version`) of the base's files and of its own, and what was told at the beginning, with all
    losses, and at the end."""

    job: Job
    rows_sha256: str
    base: str
    version: str
    begun: Begun
    done: Done


@dataclass(frozen=True)
class Unfinished:
    """A training that did not come to its end, and that nobody carries out now."""

    plan: TuningPlan
    reached: Reached
    at: datetime
    """When it came there."""


class Work:
    """The folder of the plan that writes `out`, below the folder `state`.

    A training that begins anew has the place of an earlier one at its first checkpoint; until then
    that one is kept, and put back where it comes to none.
    """

    def __init__(self, state: Path, out: Path) -> None:
        mark = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()[:16]
        self.folder = state / "tuning" / mark
        self._now, self._before = self.folder / _NOW, self.folder / _BEFORE
        self._out = out

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """For this program alone. Raises CompareError when another one has it, ModelError when it
        cannot be made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / _LOCK).open("ab")
        except OSError as error:
            raise ModelError(f"{self.folder} cannot be used: {error.strerror}.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CompareError(f"{self._out} is being trained by another llamadiff.") from None
            try:
                self._settle()  # after one that was killed
                yield
            finally:
                self._settle()

    @property
    def free(self) -> bool:
        """Nobody carries it out."""
        try:
            with self.held():
                return True
        except (CompareError, ModelError):
            return False

    def begin(self, plan: TuningPlan, *, anew: bool) -> None:
        """Write down what is trained. Raises ModelError, and CompareError where other numbers of rows
        are to be gone on with than there are."""
        there = self.unfinished()
        if anew:
            with self._changing():
                if self._now.exists():
                    self._now.replace(self._before)
        elif there is not None and there.plan.rows != plan.rows:
            raise CompareError(
                f"The training of {self._out.name} that did not end has {_rows(there.plan)}, not "
                f"{_rows(plan)}; go on with the same rows, or start it anew."
            )
        written_whole(self._now / _PLAN, plan.text().encode())

    def reach(self, reached: Reached) -> None:
        """Write down how far it has come. Raises ModelError."""
        written_whole(self._now / _REACHED, msgspec.json.encode(reached))
        self._settle()

    def _settle(self) -> None:
        """Keep one training: that which has come to a checkpoint. Raises ModelError."""
        if not self._before.exists():
            return
        with self._changing():
            if (self._now / _REACHED).exists():
                shutil.rmtree(self._before)
            else:
                shutil.rmtree(self._now, ignore_errors=True)
                self._before.replace(self._now)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelError(f"{error.filename} cannot be changed: {error.strerror}.") from None

    def of(self, adapter: PlannedAdapter) -> Path:
        """The folder of one adapter's training."""
        return self._now / ("all" if adapter.rows is None else f"rows-{adapter.rows}")

    def finish(self, adapter: PlannedAdapter, finished: Finished) -> None:
        """Write down that an adapter needs no more training. Raises ModelError."""
        written_whole(self.of(adapter) / _FINISHED, msgspec.json.encode(finished))

    def finished(
        self, adapter: PlannedAdapter, job: Job, rows_sha256: str, base: str
    ) -> Finished | None:
        """What was written down of an adapter, if the same would come out and its file is as it was.
        In how many processes it was trained does not count."""
        try:
            data = (self.of(adapter) / _FINISHED).read_bytes()
            found = msgspec.json.decode(data, type=Finished)
        except (OSError, msgspec.DecodeError, ModelError):
            return None
        settings = replace(job.settings, processes=found.job.settings.processes)
        job = msgspec.structs.replace(job, settings=settings)
        asked = Finished(job, rows_sha256, base, file_version(adapter.out), found.begun, found.done)
        return found if found == asked else None

    def unfinished(self) -> Unfinished | None:
        """What is there to go on with; None where there is nothing, or another version's."""
        newer = (self._now / _REACHED).exists() or not self._before.exists()
        folder = self._now if newer else self._before
        try:
            plan = read_plan((folder / _PLAN).read_text())
            path = folder / _REACHED
            reached = msgspec.json.decode(path.read_bytes(), type=Reached)
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except (OSError, ValueError, CompareError, ModelError):
            return None
        return Unfinished(plan, reached, at) if reached.step else None

    def discard(self) -> None:
        """Forget all of it, unless another llamadiff trains there by now."""
        with contextlib.suppress(CompareError, ModelError), self.held():
            shutil.rmtree(self.folder, ignore_errors=True)


def unfinished(state: Path) -> list[Unfinished]:
    """The trainings below `state` that can be gone on with, the newest first."""
    found: list[Unfinished] = []
    for path in (state / "tuning").glob(f"*/{_NOW}/{_PLAN}"):
        with contextlib.suppress(OSError, CompareError, ModelError):
            work = Work(state, read_plan(path.read_text()).out)
            if work.free and (it := work.unfinished()) is not None:
                found.append(it)
    return sorted(found, key=lambda it: it.at, reverse=True)


def _rows(plan: TuningPlan) -> str:
    return f"--rows {','.join(map(str, plan.rows))}" if plan.rows else "all rows"
