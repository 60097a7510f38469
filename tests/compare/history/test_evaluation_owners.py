"""Who runs an evaluation: nobody else goes on with it or removes it, and what is lost is told."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.history.history import History
from llamadiff.compare.history.packing import now
from llamadiff.tui.suites_listed import Past

from ..evaluation.suites import plan_of, write_suite

ANSWER = Checked(0, "A", 0, 0, "Hello", "Hello", 1, 2, "stop", None, None, 1.0, ())


def owned(history: History, owner: str, beat: int) -> None:
    change = history._change  # pyright: ignore[reportPrivateUsage]
    change(lambda it: it.execute("UPDATE evaluations SET owner = ?, beat = ?", (owner, beat)))


def test_one_that_another_program_runs_is_left_alone(tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 2))
    told: list[str] = []
    history = History(tmp_path / "state", "test", told.append)
    kept, later = history.evaluations, datetime.now(UTC) + timedelta(days=1)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        key = kept.begin(plan, "test")
        assert kept.entries()[0].running and history.older_than(later).evaluations == ()
        with pytest.raises(CompareError, match="is being run; stop it first"):
            history.remove([key])
        kept.release(key)
        assert not kept.running(key) and history.older_than(later).evaluations == (key,)

        theirs = [socket.gethostname(), other.pid, psutil.Process(other.pid).create_time()]
        owned(history, json.dumps(theirs), now())
        past = Past(kept.entries()[0])
        assert past.state == "running in another llamadiff" and not past.stopped
        with pytest.raises(CompareError, match="is being run by another llamadiff"):
            kept.take(key)
        with pytest.raises(CompareError, match="is being run; stop it first"):
            history.remove([key])
        kept.add(key, [ANSWER])
        kept.end(key)
        assert kept.answers(key) == [] and kept.entries()[0].ended is None
        kept.add(key, [ANSWER])
        assert kept.answers(key) == [] and len(told) == 1
        assert "what comes of it is not kept" in told[0]

        other.kill()
        other.wait()
        assert Past(kept.entries()[0]).stopped
        kept.take(key)
        kept.add(key, [ANSWER])
        assert kept.answers(key) == [ANSWER]
        kept.end(key)
        (entry,) = kept.entries()
        assert entry.ended and not entry.running

        for age, running in ((0, True), (2, False)):  # of another machine, who knows
            owned(history, json.dumps(["elsewhere", 1, 1.0]), now() - age * 86_400_000)
            assert kept.running(key) == running
        assert history.remove([key]) == 1
        kept.add(key, [ANSWER])
        assert kept.answers(key) == [] and len(told) == 2
    finally:
        other.kill()
        other.communicate()
        history.close()
