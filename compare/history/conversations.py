"""Which outputs of the history go on from which."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..run import Output, Run

if TYPE_CHECKING:
    from sqlite3 import Connection


def row_of(connection: Connection, output: Output | None) -> int | None:
    """The row of an output that was recorded before; None for one that was not."""
    if output is None:
        return None
    found = connection.execute(
        "SELECT o.id FROM runs r JOIN variants v ON v.run = r.id JOIN outputs o ON o.variant = v.id "
        "WHERE r.key = ? AND v.name = ? AND o.repeat = ?",
        (output.run_id, output.recorded_as or output.variant.name, output.repeat),
    ).fetchone()
    return found and found[0]


def follow_back(connection: Connection, run: Run, read: Callable[[str], Run]) -> None:
    """Give the outputs of a run those they go on from, and these theirs; `read` reads a run."""
    runs, wanted = {run.id: run}, [run]
    while wanted:
        for output, key, variant, repeat in _links(connection, wanted.pop()):
            if key not in runs:
                runs[key] = read(key)
                wanted.append(runs[key])
            outputs = {(it.variant.name, it.repeat): it for it in runs[key].outputs}
            output.follows = outputs.get((variant, repeat))


def _links(connection: Connection, run: Run) -> list[tuple[Output, str, str, int]]:
    """The outputs of a run that go on from others: the run, variant and repeat of those."""
    rows = connection.execute(
        "SELECT v.name, o.repeat, br.key, bv.name, b.repeat FROM runs r "
        "JOIN variants v ON v.run = r.id JOIN outputs o ON o.variant = v.id "
        "JOIN outputs b ON b.id = o.follows JOIN variants bv ON bv.id = b.variant "
        "JOIN runs br ON br.id = bv.run WHERE r.key = ?",
        (run.id,),
    )
    outputs = {(output.variant.name, output.repeat): output for output in run.outputs}
    return [(outputs[name, repeat], *before) for name, repeat, *before in rows]
