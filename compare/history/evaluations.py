"""Evaluations in the history: what each is to do, who runs it, and answers as they come."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import CompareError
from .adopt import nobodys, owner
from .evaluations_listed import Entry, entries
from .names import EVALUATIONS, RUNS, beginning, find, none_yet
from .packing import clean, moment, now
from .planned import settle, settled

if TYPE_CHECKING:
    from sqlite3 import Connection

    from ..evaluation.answers import Checked
    from ..evaluation.kept import Kept
    from ..evaluation.measured import Measured
    from ..evaluation.plan import Plan
    from ..evaluation.settled import Settled

GONE = "The evaluation {} is not in the history."
RUNS_ELSEWHERE = "The evaluation {} is being run by another llamadiff."
T = TypeVar("T")
Job = Callable[["Connection"], object]


class Reading(Protocol):
    def __call__(self, query: Callable[[Connection], T], empty: T) -> T: ...


class Evaluations:
    """What the history keeps of evaluations. `add`, `release` and `end` return at once; the rest waits.

    One that is begun or taken is this program's until it is released or ended: no other one goes on
    with it or removes it.
    """

    def __init__(
        self, read: Reading, change: Callable[[Job], object], put: Callable[[Job], None]
    ) -> None:
        self._read = read
        self._change = change
        self._put = put

    def begin(self, plan: Plan, program: str) -> str:
        """Write down what will be done, before anything is; the evaluation's key."""
        from ..evaluation.restoring import about

        key = uuid.uuid4().hex[:12]
        texts = (plan.fingerprint(), json.dumps(plan.definition()), about(plan))
        self.settle(plan)
        self._change(lambda it: _insert(it, key, plan, texts, program))
        return key

    def take(self, key: str) -> None:
        """Have it run by this program from now on, until it ends (again). Raises CompareError when
        another one runs it."""
        self._change(lambda it: _take(it, key))

    def release(self, key: str) -> None:
        """Nobody runs it any more."""
        self._put(
            lambda it: it.execute(
                "UPDATE evaluations SET owner = '' WHERE key = ? AND owner = ?", (key, owner())
            )
        )

    def running(self, key: str) -> bool:
        """Whether a program runs it now, this one or another."""
        return self._read(lambda it: bool(running(it, [key])), False)

    def unfinished(self, plan: Plan) -> str | None:
        """The newest evaluation that would give the same and has not ended, or has answers that the
        engine died with, if there is one."""
        mark = plan.fingerprint()
        return self._read(lambda it: _unfinished(it, mark), None)

    def began(self, key: str) -> datetime:
        """When it was written down, before its first row. Raises CompareError when it is not there."""
        found = self._read(
            lambda it: it.execute("SELECT at FROM evaluations WHERE key = ?", (key,)).fetchone(),
            None,
        )
        return moment(self._there(key, found)[0])

    def settled(self, comparisons: Mapping[str, Collection[str]]) -> dict[str, Settled]:
        """What was planned of comparisons that were made before; given are the keys of the rows
        there are for each."""
        return self._read(lambda it: settled(it, comparisons), {})

    def settle(self, plan: Plan) -> None:
        """Keep which rows are planned; what was kept of its comparisons before stays."""
        self._change(lambda it: settle(it, plan.to_keep))

    def add(self, key: str, answers: Iterable[Checked]) -> None:
        """Keep the answers of a group: all of them, or none when that cannot be written, which is
        told."""
        rows = [_answer_row(answer) for answer in answers]
        self._put(lambda it: _add(it, key, rows))

    def keep_measured(self, key: str, measured: Measured) -> None:
        """Keep what was measured, in the place of what was kept before."""
        text = measured.text()
        self._put(
            lambda it: it.execute("UPDATE evaluations SET measured = ? WHERE key = ?", (text, key))
        )

    def end(self, key: str) -> None:
        """All answers are there, and all is measured."""
        self._put(lambda it: _end(it, key))

    def answers(self, key: str) -> list[Checked]:
        """Those there are, in the order of rows."""
        return self._read(lambda it: _answers(it, key), [])

    def entries(self, limit: int = 50) -> list[Entry]:
        """The newest evaluations."""
        return self._read(lambda it: entries(it, limit), [])

    def find(self, name: str) -> str:
        """The key of the evaluation meant by a key, its beginning, or `last`. Raises CompareError."""
        return self._read(lambda it: find(it, name, EVALUATIONS), "") or none_yet(EVALUATIONS)

    def named(self, name: str) -> str:
        """The key that a name is or begins, where that is no run's too; else empty."""
        keys = self._read(lambda it: beginning(it, name, EVALUATIONS), [])
        runs = self._read(lambda it: beginning(it, name, RUNS), [])
        return keys[0] if name and len(keys) == 1 and not runs else ""

    def plan(self, key: str) -> Plan:
        """What an evaluation was to do. Raises CompareError when it is not there."""
        return self._there(key, self._read(lambda it: _plan(it, key), None))

    def measured(self, key: str) -> Measured:
        """What was measured of it so far. Raises CompareError when it is not there."""
        return self._there(key, self._read(lambda it: _measured(it, key), None))

    def kept(self, key: str) -> Kept:
        """All of an evaluation, ended or not. Raises CompareError when it is not there."""
        return self._there(key, self._read(lambda it: _kept(it, key), None))

    @staticmethod
    def _there(key: str, found: T | None) -> T:
        if found is None:
            raise CompareError(GONE.format(key))
        return found


def _insert(it: Connection, key: str, plan: Plan, texts: Sequence[str], program: str) -> None:
    suite = plan.suite
    it.execute(
        "INSERT INTO evaluations (key, at, program, suite, path, fingerprint, definition, about, "
        "baseline, rows, planned, margin, owner, beat) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key, now(), program, clean(suite.name), clean(str(suite.path.resolve())), *texts,
            plan.baseline.name, len(plan.rows), plan.planned.to_run, suite.margin, owner(), now(),
        ),
    )  # fmt: skip


def running(it: Connection, keys: Iterable[str]) -> list[str]:
    """Those of the keys that are of evaluations which a program runs now."""
    return [key for key in keys if (found := _owner(it, key)) and not nobodys(*found)]


def _owner(it: Connection, key: str) -> tuple[str, datetime] | None:
    found = it.execute("SELECT owner, beat FROM evaluations WHERE key = ?", (key,)).fetchone()
    return None if found is None else (found[0], moment(found[1]))


def _take(it: Connection, key: str) -> None:
    found = _owner(it, key)
    if found is None:
        raise CompareError(GONE.format(key))
    if found[0] != owner() and not nobodys(*found):
        raise CompareError(RUNS_ELSEWHERE.format(key))
    it.execute(
        "UPDATE evaluations SET owner = ?, beat = ?, ended = NULL WHERE key = ?",
        (owner(), now(), key),
    )


def _end(it: Connection, key: str) -> None:
    _hold(it, key)
    it.execute("UPDATE evaluations SET ended = ?, owner = '' WHERE key = ?", (now(), key))


def _hold(it: Connection, key: str) -> None:
    """Say that it is being run still. Raises CompareError when it is not this program's any more."""
    held = it.execute(
        "UPDATE evaluations SET beat = ? WHERE key = ? AND owner = ?", (now(), key, owner())
    )
    if not held.rowcount:
        raise CompareError(
            f"The evaluation {key} was removed, or is run by another llamadiff: what comes of it is "
            "not kept."
        )


def _unfinished(it: Connection, mark: str) -> str | None:
    from ..evaluation.answers import DIED

    found = it.execute(
        "SELECT key FROM evaluations WHERE fingerprint = ? AND (ended IS NULL OR EXISTS "
        "(SELECT 1 FROM answers WHERE evaluation = evaluations.id AND finish_reason = ?)) "
        "ORDER BY id DESC LIMIT 1",
        (mark, DIED),
    ).fetchone()
    return None if found is None else found[0]


def _answer_row(answer: Checked) -> tuple[Any, ...]:
    results = [[result.score, clean(result.reason)] for result in answer.results]
    return (
        answer.row, answer.variant, answer.repeat, answer.seed, clean(answer.text),
        None if answer.answer == answer.text else clean(answer.answer), answer.tokens,
        answer.prompt_tokens, answer.finish_reason,
        None if answer.error is None else clean(answer.error), answer.logprob, answer.score,
        json.dumps(results),
    )  # fmt: skip


def _add(it: Connection, key: str, rows: list[tuple[Any, ...]]) -> None:
    _hold(it, key)
    it.executemany(
        "INSERT OR REPLACE INTO answers (evaluation, row, variant, repeat, seed, text, answer, tokens, "
        "prompt_tokens, finish_reason, error, logprob, score, results) "
        "SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM evaluations WHERE key = ?",
        [(*row, key) for row in rows],
    )


def _answers(it: Connection, key: str) -> list[Checked]:
    from ..checks.result import Result
    from ..evaluation.answers import Checked

    found = it.execute(
        "SELECT row, variant, repeat, seed, text, ifnull(answer, text), tokens, prompt_tokens, finish_reason, error, "
        "logprob, score, results FROM answers WHERE evaluation = "
        "(SELECT id FROM evaluations WHERE key = ?) ORDER BY row, variant, repeat",
        (key,),
    )
    return [
        Checked(*row[:-1], results=tuple(Result(*each) for each in json.loads(row[-1])))
        for row in found
    ]


def _plan(it: Connection, key: str) -> Plan | None:
    from ..evaluation.restoring import restored_plan

    found = it.execute(
        "SELECT definition, about, suite, path, planned, margin FROM evaluations WHERE key = ?",
        (key,),
    ).fetchone()
    if found is None:
        return None
    definition, about, suite, path, planned, margin = found
    return restored_plan(
        definition, about, name=suite, path=Path(path), planned=planned, margin=margin
    )


def _measured(it: Connection, key: str) -> Measured | None:
    from ..evaluation.measured import Measured, read_measured

    found = it.execute("SELECT measured FROM evaluations WHERE key = ?", (key,)).fetchone()
    if found is None:
        return None
    try:
        return read_measured(found[0]) if found[0] else Measured()
    except (ValueError, TypeError, KeyError):  # another version's: what was measured is left out
        return Measured()


def _kept(it: Connection, key: str) -> Kept | None:
    from ..evaluation.kept import Kept

    found = it.execute(
        "SELECT at, ended, program FROM evaluations WHERE key = ?", (key,)
    ).fetchone()
    plan, measured = _plan(it, key), _measured(it, key)
    if found is None or plan is None or measured is None:
        return None
    at, ended, program = found
    over = None if ended is None else moment(ended)
    return Kept(key, moment(at), over, program, plan, _answers(it, key), measured)
