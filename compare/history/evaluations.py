"""Evaluations in the history: what each is to do, its rows, and answers as they come."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import CompareError
from .packing import clean, moment, now

if TYPE_CHECKING:
    from sqlite3 import Connection

    from ..evaluation.answers import Checked
    from ..evaluation.plan import Place, Plan
    from ..evaluation.recorded import Costs

T = TypeVar("T")
Job = Callable[["Connection"], object]


class Reading(Protocol):
    def __call__(self, query: Callable[[Connection], T], empty: T) -> T: ...


@dataclass(frozen=True)
class Entry:
    """An evaluation in a list. `planned` rows were settled before its first was run.

    `ended` is None for one that goes on or did not come to its end. Each row has `each` answers, as
    far as that can be told from those there are.
    """

    key: str
    at: datetime
    ended: datetime | None
    suite: str
    path: str
    rows: int
    planned: int
    answers: int
    """How many are there."""
    each: int = 1

    @property
    def done(self) -> int:
        """Rows of which all answers are there."""
        return self.rows if self.ended else min(self.rows, self.answers // max(1, self.each))


class Evaluations:
    """What the history keeps of evaluations. `add` and `end` return at once; the rest waits."""

    def __init__(
        self, read: Reading, change: Callable[[Job], object], put: Callable[[Job], None]
    ) -> None:
        self._read = read
        self._change = change
        self._put = put

    def begin(self, plan: Plan, program: str) -> str:
        """Write down what will be done, before anything is; the evaluation's key."""
        from ..evaluation.recorded import beside

        key = uuid.uuid4().hex[:12]
        mark = plan.fingerprint()
        definition = json.dumps({**plan.definition(), **beside(plan)})
        self._change(lambda it: _insert(it, key, plan, mark, definition, program))
        return key

    def unfinished(self, plan: Plan) -> str | None:
        """The newest evaluation that would give the same and has not ended, if there is one."""
        mark = plan.fingerprint()
        return self._read(lambda it: _unfinished(it, mark), None)

    def settled(self, plan: Plan) -> int | None:
        """The number of rows that was planned when this suite, with the same baseline, was first
        run on rows that are among these; None if it never was."""
        keys = {row.key for row in plan.rows}
        return self._read(lambda it: _settled(it, plan, keys), None)

    def add(self, key: str, answers: Iterable[Checked]) -> None:
        """Keep the answers of a group: all of them, or none when that cannot be written."""
        rows = [_answer_row(answer) for answer in answers]
        self._put(lambda it: _add(it, key, rows))

    def end(self, key: str) -> None:
        """All answers are there."""
        self._put(
            lambda it: it.execute("UPDATE evaluations SET ended = ? WHERE key = ?", (now(), key))
        )

    def answers(self, key: str) -> list[Checked]:
        """Those there are, in the order of rows."""
        return self._read(lambda it: _answers(it, key), [])

    def done(self, key: str) -> set[Place]:
        """The places of the answers there are."""
        return {answer.place for answer in self.answers(key)}

    def plan(self, key: str) -> Plan:
        """What an evaluation was to do. Raises CompareError for one there is not."""
        return self._read(lambda it: _plan(it, key), None) or _missing(key)

    def costs(self, key: str) -> Costs:
        """What it took, as far as that was kept."""
        from ..evaluation.recorded import Costs

        return self._read(lambda it: _costs(it, key), Costs())

    def keep_costs(self, key: str, costs: Costs) -> None:
        """Keep what it took, in the place of what was kept before."""
        self._put(lambda it: _keep_costs(it, key, costs))

    def remove(self, key: str) -> None:
        """Remove an evaluation with its answers; see History.remove_evaluation."""
        self._change(lambda it: it.execute("DELETE FROM evaluations WHERE key = ?", (key,)))

    def entries(self, limit: int = 50) -> list[Entry]:
        """The newest evaluations."""
        return self._read(lambda it: _entries(it, limit), [])


def _insert(it: Connection, key: str, plan: Plan, mark: str, definition: str, program: str) -> None:
    suite = plan.suite
    it.execute(
        "INSERT INTO evaluations (key, at, program, suite, path, fingerprint, definition, "
        "baseline, rows, planned, margin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key, now(), program, clean(suite.name), clean(str(suite.path.resolve())), mark,
            definition, plan.baseline.name, len(plan.rows), plan.planned, suite.margin,
        ),
    )  # fmt: skip


def _unfinished(it: Connection, mark: str) -> str | None:
    found = it.execute(
        "SELECT key FROM evaluations WHERE fingerprint = ? AND ended IS NULL "
        "ORDER BY id DESC LIMIT 1",
        (mark,),
    ).fetchone()
    return None if found is None else found[0]


def _settled(it: Connection, plan: Plan, keys: set[str]) -> int | None:
    found = it.execute(
        "SELECT planned, definition FROM evaluations WHERE path = ? AND baseline = ? ORDER BY id",
        (clean(str(plan.suite.path.resolve())), plan.baseline.name),
    )
    for planned, definition in found:
        if any(row[0] in keys for row in json.loads(definition)["rows"]):
            return int(planned)
    return None


def _answer_row(answer: Checked) -> tuple[Any, ...]:
    results = [[result.score, clean(result.reason)] for result in answer.results]
    return (
        answer.row, answer.variant, answer.repeat, answer.seed, clean(answer.text), answer.tokens,
        answer.prompt_tokens, answer.finish_reason,
        None if answer.error is None else clean(answer.error), answer.logprob, answer.score,
        json.dumps(results),
    )  # fmt: skip


def _add(it: Connection, key: str, rows: list[tuple[Any, ...]]) -> None:
    it.executemany(
        "INSERT OR REPLACE INTO answers (evaluation, row, variant, repeat, seed, text, tokens, "
        "prompt_tokens, finish_reason, error, logprob, score, results) "
        "SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM evaluations WHERE key = ?",
        [(*row, key) for row in rows],
    )


def _answers(it: Connection, key: str) -> list[Checked]:
    from ..checks.result import Result
    from ..evaluation.answers import Checked

    found = it.execute(
        "SELECT row, variant, repeat, seed, text, tokens, prompt_tokens, finish_reason, error, "
        "logprob, score, results FROM answers WHERE evaluation = "
        "(SELECT id FROM evaluations WHERE key = ?) ORDER BY row, variant, repeat",
        (key,),
    )
    return [
        Checked(*row[:-1], results=tuple(Result(*each) for each in json.loads(row[-1])))
        for row in found
    ]


def _entries(it: Connection, limit: int) -> list[Entry]:
    found = it.execute(
        "SELECT key, at, ended, suite, path, rows, planned, "
        "(SELECT count(*) FROM answers WHERE evaluation = evaluations.id), "
        "(SELECT count(*) FROM (SELECT DISTINCT variant, repeat FROM answers "
        "WHERE evaluation = evaluations.id)) "
        "FROM evaluations ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [
        Entry(key, moment(at), None if ended is None else moment(ended), *others)
        for key, at, ended, *others in found
    ]


def _plan(it: Connection, key: str) -> Plan | None:
    from pathlib import Path

    from ..evaluation.recorded import recorded_plan

    found = it.execute(
        "SELECT definition, suite, path, baseline, planned, margin FROM evaluations WHERE key = ?",
        (key,),
    ).fetchone()
    if found is None:
        return None
    definition, suite, path, baseline, planned, margin = found
    return recorded_plan(
        definition, suite=suite, path=Path(path), baseline=baseline, planned=planned, margin=margin
    )


def _missing(key: str) -> Plan:
    raise CompareError(f"There is no evaluation {key}.")


def _definition(it: Connection, key: str) -> str:
    found = it.execute("SELECT definition FROM evaluations WHERE key = ?", (key,)).fetchone()
    return "{}" if found is None else found[0]


def _costs(it: Connection, key: str) -> Costs:
    from ..evaluation.recorded import recorded_costs

    return recorded_costs(_definition(it, key))


def _keep_costs(it: Connection, key: str, costs: Costs) -> None:
    from ..evaluation.recorded import with_costs

    text = with_costs(_definition(it, key), costs)
    it.execute("UPDATE evaluations SET definition = ? WHERE key = ?", (text, key))
