"""Runs whose program was killed while it wrote them: they are brought to an end by the next one."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import psutil

from .packing import (
    pack_ends,
    pack_logprobs,
    pack_tokens,
    unpack_ends,
    unpack_logprobs,
    unpack_tokens,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

ABANDONED = timedelta(days=1)
"""When what a program on another machine writes is taken to be nobody's: who can tell?"""

SAME_S = 5.0
"""Seconds by which the start of a process may seem to differ as the clock is set."""


@cache
def owner() -> str:
    """This process among all: machine, process id, and when it started."""
    process = psutil.Process(os.getpid())
    return json.dumps([socket.gethostname(), process.pid, process.create_time()])


def adopt(connection: Connection) -> None:
    """Bring to an end what programs left behind that were killed while they wrote."""
    rows = connection.execute("SELECT id, owner FROM runs WHERE ended IS NULL").fetchall()
    for run, owned in rows:
        if not gone(owned):
            continue
        outputs = connection.execute(
            "SELECT o.id FROM outputs o JOIN variants v ON v.id = o.variant WHERE v.run = ? "
            "AND o.state NOT IN ('done', 'cancelled', 'failed')",
            (run,),
        ).fetchall()
        for (output,) in outputs:
            _make_whole(connection, output)
        connection.execute(
            "UPDATE runs SET ended = (SELECT coalesce(max(p.at), runs.at) FROM variants v "
            "JOIN outputs o ON o.variant = v.id JOIN pieces p ON p.output = o.id "
            "WHERE v.run = runs.id) WHERE id = ?",
            (run,),
        )
        for (output,) in outputs:
            connection.execute("DELETE FROM pieces WHERE output = ?", (output,))


def elsewhere(owned: str) -> bool:
    """Whether that process is, or was, on another machine."""
    return json.loads(owned)[0] != socket.gethostname()


def gone(owned: str) -> bool:
    """Whether a process has ended; False for one on another machine."""
    _, pid, started = json.loads(owned)
    if elsewhere(owned):
        return False
    try:
        process = psutil.Process(pid)
        other = abs(process.create_time() - started) > SAME_S
        return other or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def nobodys(owned: str, at: datetime) -> bool:
    """Whether no program goes on with what one of them wrote at that time, or wrote last."""
    if not owned or gone(owned):
        return True
    return elsewhere(owned) and datetime.now(UTC) - at > ABANDONED


def _make_whole(connection: Connection, output: int) -> None:
    pieces = connection.execute(
        "SELECT text, tokens, ends, logprobs FROM pieces WHERE output = ? ORDER BY number",
        (output,),
    ).fetchall()
    tokens = unpack_tokens([piece[1] for piece in pieces])
    connection.execute(
        "INSERT INTO texts VALUES (?, ?, ?, ?, ?)",
        (
            output, "".join(piece[0] for piece in pieces), pack_tokens(tokens),
            pack_ends(unpack_ends([piece[2] for piece in pieces])),
            pack_logprobs(unpack_logprobs([piece[3] for piece in pieces])),
        ),
    )  # fmt: skip
    connection.execute(
        "UPDATE outputs SET state = 'cancelled', finish_reason = 'cancelled', tokens = ? "
        "WHERE id = ?",
        (len(tokens), output),
    )
