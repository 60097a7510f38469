"""The folder of a training, where it goes on after it was stopped, or after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
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


class Reached(msgspec.Struct, frozen=True):
    """How far a plan has come: the adapter that is being trained, counted from 1, and its last
    checkpoint, `step` of `steps`."""

    adapter: int = 1
    step: int = 0
    steps: int = 0


class Finished(msgspec.Struct, frozen=True):
    """An adapter that was trained to the end: by what job, on rows with which hash, the version of its
    file (`file_version`), and what was told at the beginning, with all losses, and at the end."""

    job: Job
    rows_sha256: str
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
    """The folder of the plan that writes `out`, below the folder `state`."""

    def __init__(self, state: Path, out: Path) -> None:
        mark = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()[:16]
        self.folder = state / "tuning" / mark
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
            yield

    @property
    def free(self) -> bool:
        """Nobody carries it out."""
        try:
            with self.held():
                return True
        except (CompareError, ModelError):
            return False

    def begin(self, plan: TuningPlan, *, anew: bool) -> None:
        """Write down what is trained; `anew`, what was there is forgotten. Raises ModelError."""
        try:
            for path in self.folder.iterdir() if anew else ():
                if path.name != _LOCK:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise ModelError(f"{error.filename} cannot be removed: {error.strerror}.") from None
        written_whole(self.folder / _PLAN, plan.text().encode())

    def reach(self, reached: Reached) -> None:
        """Write down how far it has come. Raises ModelError."""
        written_whole(self.folder / _REACHED, msgspec.json.encode(reached))

    def of(self, adapter: PlannedAdapter) -> Path:
        """The folder of one adapter's training."""
        return self.folder / ("all" if adapter.rows is None else f"rows-{adapter.rows}")

    def finish(self, adapter: PlannedAdapter, finished: Finished) -> None:
        """Write down that an adapter needs no more training. Raises ModelError."""
        written_whole(self.of(adapter) / _FINISHED, msgspec.json.encode(finished))

    def finished(self, adapter: PlannedAdapter, job: Job, rows_sha256: str) -> Finished | None:
        """What was written down of an adapter, if the same would come out and its file is as it was."""
        try:
            data = (self.of(adapter) / _FINISHED).read_bytes()
            found = msgspec.json.decode(data, type=Finished)
        except (OSError, msgspec.DecodeError, ModelError):
            return None
        asked = (job, rows_sha256, file_version(adapter.out))
        return found if (found.job, found.rows_sha256, found.version) == asked else None

    def unfinished(self) -> Unfinished | None:
        """What is there to go on with; None where there is nothing, or another version's."""
        try:
            plan = read_plan((self.folder / _PLAN).read_text())
            path = self.folder / _REACHED
            reached = msgspec.json.decode(path.read_bytes(), type=Reached)
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except (OSError, ValueError, CompareError, ModelError):
            return None
        return Unfinished(plan, reached, at) if reached.step else None

    def discard(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def unfinished(state: Path) -> list[Unfinished]:
    """The trainings below `state` that can be gone on with, the newest first."""
    found: list[Unfinished] = []
    for path in (state / "tuning").glob(f"*/{_PLAN}"):
        with contextlib.suppress(OSError, CompareError, ModelError):
            work = Work(state, read_plan(path.read_text()).out)
            if work.free and (it := work.unfinished()) is not None:
                found.append(it)
    return sorted(found, key=lambda it: it.at, reverse=True)
