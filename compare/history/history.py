"""The history of one person: what the app and the commands ask of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...prompts.document import Prompt
from ..errors import CompareError
from ..run import Run
from .drafts import Drafts
from .entries import Hit, Recorded, RunEntry, Wanted
from .evaluations import Evaluations
from .recorder import Recorder
from .writer import Writer

if TYPE_CHECKING:
    from sqlite3 import Connection

    from .removal import Old
    from .versions import Version

FILE = "history.db"
PAGE = 50
T = TypeVar("T")


class History:
    """Runs, versions of prompts and drafts, in a database in `folder` that is made when needed.

    `begin`, `end`, `saved`, `moved`, and of the drafts `save`, `take` and `drop`, return at once, from any
    thread; what they ask for is committed within a second. Everything else reads or writes a file before it
    returns: call it off the event loop. Those raise CompareError when the history cannot be used.

    `program` is the version of llamadiff that runs are recorded with. `on_trouble` is called, from
    another thread, with a sentence when nothing can be written, something had to be left out, or a
    damaged file was put aside.
    """

    def __init__(self, folder: Path, program: str, on_trouble: Callable[[str], None]) -> None:
        self.file = folder / FILE
        self._recorder = Recorder(program, on_trouble)
        self.drafts = Drafts(self._read, self._wake, on_trouble)
        self._writer = Writer(self.file, (self._recorder, self.drafts), on_trouble)
        self.evaluations = Evaluations(self._read, self._change, self._put)
        self._lock = threading.RLock()
        self._opened = False
        self._reader: Connection | None = None
        self._renewals = 0
        self.unwiped = False
        """Removed texts are in the journal still, because another program was reading."""

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        from . import removal

        if self.drafts.owned:
            self._writer.put(self.drafts.release)
        self._writer.close()
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if self.unwiped:
                self.unwiped = not removal.wipe(self.file)

    def flush(self) -> None:
        """Write what waits, and what running runs have said so far."""
        self._writer.flush()

    # ---------------------------------------------------------------- recording

    def begin(self, run: Run) -> None:
        """Record a run, from its first text on, while it goes on."""
        self._recorder.begin(run)
        self._wake()

    def end(self, run: Run) -> None:
        """The run is over and its stamps are complete: nothing of it will change any more."""
        self._recorder.end(run)
        self._wake()

    def saved(self, prompt: Prompt) -> None:
        """A prompt was written to its file: keep that as a version."""
        self._keep(prompt, saved=True)

    def left(self, prompt: Prompt) -> None:
        """A prompt that was neither saved nor run gives way to another: keep it as a version."""
        self._keep(prompt, saved=False)

    def _keep(self, prompt: Prompt, *, saved: bool) -> None:
        from . import versions

        self._open()
        self._writer.put(lambda connection: versions.record(connection, prompt, saved=saved))

    def moved(self, before: Path, after: Path) -> None:
        """The file of a prompt has another path now: its versions and drafts go with it."""
        from . import versions

        self._open()
        self._writer.put(lambda connection: versions.moved(connection, before, after))
        self._writer.put(self.drafts.moved(before, after))

    # ------------------------------------------------------------------ reading

    def page(
        self, wanted: Wanted | None = None, *, limit: int = PAGE, before: int | None = None
    ) -> list[RunEntry]:
        """The newest runs, or those before the one numbered `before`."""
        from . import reading

        return self._read(lambda it: reading.page(it, wanted or Wanted(), limit, before), [])

    def search(self, wanted: Wanted, *, limit: int = PAGE, before: int | None = None) -> list[Hit]:
        """The newest outputs with the words of `wanted.text` in them or in their prompts."""
        from . import reading

        return self._read(lambda it: reading.search(it, wanted, limit, before), [])

    def find(self, name: str) -> str:
        """The id of the run meant by an id, its beginning, or `last`."""
        from . import names

        found = self._read(lambda connection: names.find(connection, name), "")
        if not found:
            raise CompareError("The history holds no run yet.")
        return found

    def open(self, run_id: str) -> Run:
        """A run as it was recorded; one that goes on, as far as it has come."""
        return self.recorded(run_id).run

    def recorded(self, run_id: str) -> Recorded:
        """A run with what is known about it."""
        from . import reading

        found = self._read(lambda connection: reading.open_run(connection, run_id), None)
        if found is None:
            raise CompareError("The history holds no run yet.")
        return found

    def older_than(self, time: datetime) -> Old:
        """The runs begun before a time. A conversation is as old as its newest run, and stays if
        any of it has a tag or a note."""
        from . import removal

        return self._read(lambda it: removal.older_than(it, time), removal.Old((), 0))

    def replies_to(self, ids: Sequence[str]) -> list[str]:
        """The ids of all other runs that reply to these, or to such a reply, oldest first."""
        from . import removal

        return self._read(lambda connection: removal.replies(connection, ids), [])

    # ----------------------------------------------------------------- changing

    def annotate(self, run_id: str, note: str) -> None:
        """Put a note to a run in the place of the one it has."""
        from . import marks

        self._change(lambda connection: marks.annotate(connection, run_id, note))

    def tag(self, run_id: str, tags: Sequence[str]) -> None:
        """Give a run exactly these tags."""
        from . import marks

        self._change(lambda connection: marks.tag(connection, run_id, tags))

    def remove(self, ids: Sequence[str]) -> int:
        """Remove runs and all that reply to them for good, and what only they had; how many.

        `unwiped` says afterwards whether their texts are on the disk all the same.
        """
        from . import removal

        self._recorder.forget({*ids, *self.replies_to(ids)})
        removed = removal.remove_all(self._change, ids)
        with self._lock:
            self.unwiped = not removal.wipe(self.file)
        return removed

    def remove_evaluation(self, key: str) -> None:
        """Remove an evaluation and its answers for good; `unwiped` as for `remove`."""
        self.evaluations.remove(key)
        self.remove([])

    def retire(self, time: datetime) -> int:
        """Remove the runs of `older_than`, and the evaluations begun before it; how many."""
        from . import removal

        ids = self.older_than(time).ids
        count = self._change(lambda connection: removal.remove_evaluations(connection, time))
        return count + self.remove(ids) if ids or count else 0

    # ----------------------------------------------------------------- versions

    def versions(self, prompt: Prompt) -> list[Version]:
        """The versions of a prompt, newest first."""
        from . import versions

        return self._read(lambda connection: versions.versions(connection, prompt), [])

    def version(self, version_id: int, path: Path | None = None) -> Prompt:
        """The prompt as it was in a version, said to be from the file `path`."""
        from . import versions

        found = self._read(lambda connection: versions.version(connection, version_id, path), None)
        if found is None:
            raise CompareError(f"There is no version {version_id} of a prompt.")
        return found

    def name_version(self, version_id: int, name: str) -> None:
        """Call a version something; empty takes the name off."""
        from . import versions

        self._change(lambda connection: versions.rename(connection, version_id, name))

    # ---------------------------------------------------------------- the file

    def _wake(self) -> None:
        self._open()
        self._writer.wake()

    def _open(self) -> None:
        """Have the writer make the database ready, once."""
        from . import adopt

        with self._lock:
            if not self._opened:
                self._opened = True
                self._writer.put(adopt.adopt)

    def _put(self, job: Callable[[Connection], object]) -> None:
        self._open()
        self._writer.put(job)

    def _change(self, job: Callable[[Connection], T]) -> T:
        self._open()
        return self._writer.call(job)

    def _read(self, query: Callable[[Connection], T], empty: T) -> T:
        """What a query gives once all that waits is written; `empty` while there is no database."""
        import sqlite3

        from .database import cannot, open_for_reading

        if self.file.exists():
            self._open()
        self._writer.flush()
        with self._lock:
            if self._reader is not None and self._renewals != self._writer.renewals:
                self._reader.close()
                self._reader = None
            if self._reader is None:
                self._renewals = self._writer.renewals
                self._reader = open_for_reading(self.file)
            if self._reader is None:
                return empty
            try:
                return query(self._reader)
            except sqlite3.DatabaseError as error:
                raise CompareError(cannot("read", self.file, error)) from None
