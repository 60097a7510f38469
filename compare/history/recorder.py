"""Runs as they go on: what is new of each is looked up and written, again and again.

Nothing is called while a run streams: its buffers only grow, and are read from the writing thread.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..run import Output, Run, Stamp, State
from . import versions
from .adopt import owner
from .conversations import row_of
from .packing import (
    clean,
    now,
    pack_ends,
    pack_logprobs,
    pack_tokens,
    path_out,
    string_map,
    to_json,
)
from .writer import Broken, whole

if TYPE_CHECKING:
    from sqlite3 import Connection

PREVIEW = 200
"""Characters of an output that a list shows."""


@dataclass
class _Mark:
    """How much of an output is in the database; `row` is where."""

    row: int = 0
    text: int = 0
    tokens: int = 0
    logprobs: int = 0
    pieces: int = 0
    facts: tuple[object, ...] = ()
    stamped: tuple[object, ...] = ()
    whole: bool = False


@dataclass
class _Followed:
    run: Run
    at: int
    over: bool = False
    """No more will come."""
    row: int | None = None
    marks: list[_Mark] = field(default_factory=list[_Mark])
    ended: bool = False


class Recorder:
    """Follows runs from `begin` to `end`; both may be called from any thread.

    `on_trouble` is told of a run that cannot be written, which is left out from then on.
    """

    def __init__(self, program: str, on_trouble: Callable[[str], None]) -> None:
        self._program = program
        self._on_trouble = on_trouble
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Lock()

    def begin(self, run: Run) -> None:
        with self._lock:
            self._followed[run.id] = _Followed(run, now())

    def end(self, run: Run) -> None:
        """Nothing of this run will change any more, its stamps included."""
        with self._lock:
            if run.id in self._followed:
                self._followed[run.id].over = True

    def forget(self, keys: set[str]) -> None:
        """Write no more of these runs."""
        with self._lock:
            for key in keys & self._followed.keys():
                del self._followed[key]

    @property
    def busy(self) -> bool:
        return bool(self._followed)

    def start_over(self) -> None:
        with self._lock:
            for key, it in self._followed.items():
                self._followed[key] = _Followed(it.run, it.at, it.over)

    def write(self, connection: Connection) -> Callable[[], None]:
        with self._lock:
            todo = [(it, it.over) for it in self._followed.values()]
        new: list[tuple[_Followed, _Followed]] = []
        gone: set[str] = set()
        for it, over in todo:
            after = replace(it, marks=[replace(mark) for mark in it.marks])
            try:
                stays = whole(connection, partial(self._write_run, it=after))
            except Broken as broken:
                self._on_trouble(f"The history leaves out a run: {broken.error!r}.")
                stays = False
            if not stays or over:
                gone.add(it.run.id)
            new.append((it, after))

        def written() -> None:
            with self._lock:
                for before, after in new:
                    # A run that meanwhile came to its end is looked at once more.
                    after.over = before.over
                    if self._followed.get(after.run.id) is before:
                        self._followed[after.run.id] = after
                for key in gone:
                    self._followed.pop(key, None)

        return written

    def _write_run(self, connection: Connection, it: _Followed) -> bool:
        """Write what is new; False when the run was recorded before, or somebody has removed it."""
        if it.row is None:
            if not any(_worth_keeping(output) for output in it.run.outputs):
                return True
            known = "SELECT 1 FROM runs WHERE key = ?"
            if connection.execute(known, (it.run.id,)).fetchone():
                return False
            self._insert(connection, it)
        elif not connection.execute("SELECT 1 FROM runs WHERE id = ?", (it.row,)).fetchone():
            return False
        for output, mark in zip(it.run.outputs, it.marks, strict=True):
            _write_output(connection, output, mark)
        if it.run.over and not it.ended:
            connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (now(), it.row))
            it.ended = True
        return True

    def _insert(self, connection: Connection, it: _Followed) -> None:
        run = it.run
        values = (
            run.id, it.at, owner(), self._program, to_json(string_map(run.values)), run.exact,
            run.logprobs, run.around and to_json(run.around),
        )  # fmt: skip
        it.row = connection.execute(
            "INSERT INTO runs (key, at, owner, program, vars, exact, logprobs, around) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        ).lastrowid
        rows: dict[str, int | None] = {}
        for variant in run.variants:
            adapters = [
                {"name": a.name, "path": str(a.path), "scale": a.scale} for a in variant.adapters
            ]
            rows[variant.name] = connection.execute(
                "INSERT INTO variants (run, name, label, model, model_name, adapters, sampling, "
                "vars, prompt_name, prompt_path, version, beginning) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    it.row, variant.name, clean(variant.label), path_out(variant.model),
                    clean(variant.model_name), json.dumps(adapters), to_json(variant.sampling),
                    to_json(string_map(variant.values)),
                    clean(variant.prompt.name), path_out(variant.prompt.path),
                    versions.record(connection, variant.prompt),
                    variant.beginning and to_json(variant.beginning),
                ),
            ).lastrowid  # fmt: skip
        for output in run.outputs:
            row = connection.execute(
                "INSERT INTO outputs (variant, repeat, seed, state, follows, reply) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    rows[output.variant.name], output.repeat, output.seed, output.state.value,
                    row_of(connection, output.follows), clean(output.reply),
                ),
            ).lastrowid  # fmt: skip
            assert row is not None
            it.marks.append(_Mark(row))


def _worth_keeping(output: Output) -> bool:
    """A run that was refused or given up before anything came is not remembered."""
    return bool(output.text) or output.state in (State.STREAMING, State.DONE, State.FAILED)


def _write_output(connection: Connection, output: Output, mark: _Mark) -> None:
    over = output.state.over
    if over and not mark.whole:
        connection.execute(
            "INSERT INTO texts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = "
            "excluded.text, tokens = excluded.tokens, ends = excluded.ends, "
            "logprobs = excluded.logprobs",
            (
                mark.row, clean(output.text), pack_tokens(output.tokens), pack_ends(output.token_ends),
                pack_logprobs(output.logprobs),
            ),
        )  # fmt: skip
        connection.execute("DELETE FROM pieces WHERE output = ?", (mark.row,))
        mark.whole = True
    elif not over:
        _write_piece(connection, output, mark)
    facts = (
        output.state, len(output.tokens), output.text[:PREVIEW], output.finish_reason, output.error,
        output.refused, output.no_effect, output.timings,
    )  # fmt: skip
    if facts != mark.facts:
        connection.execute(
            "UPDATE outputs SET state = ?, tokens = ?, preview = ?, finish_reason = ?, error = ?, "
            "refused = ?, no_effect = ?, timings = ? WHERE id = ?",
            (
                output.state.value, len(output.tokens), clean(output.text[:PREVIEW]),
                output.finish_reason, None if output.error is None else clean(output.error),
                output.refused, clean(output.no_effect), output.timings and to_json(output.timings),
                mark.row,
            ),
        )  # fmt: skip
        mark.facts = facts
    stamp = output.stamp
    stamped = (stamp, stamp.model_sha256, stamp.adapter_sha256)
    if stamp.prompt_text and stamped != mark.stamped:
        connection.execute(
            "UPDATE outputs SET stamp = ?, rendered = ? WHERE id = ?",
            (_facts_of(stamp), _rendered(connection, stamp), mark.row),
        )
        mark.stamped = stamped


def _write_piece(connection: Connection, output: Output, mark: _Mark) -> None:
    """Append what has arrived since the last time.

    An output grows text first, then tokens, their ends and log-probabilities; they are read the
    other way round, so that all that belongs to the tokens written is there.
    """
    logprobs = output.logprobs[mark.logprobs :]
    ends = output.token_ends[mark.tokens :]
    tokens = output.tokens[mark.tokens : mark.tokens + len(ends)]
    text = output.text[mark.text :]
    if not text and not tokens:
        return
    before = output.token_ends[mark.tokens - 1] if mark.tokens else 0
    connection.execute(
        "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            mark.row, mark.pieces, now(), clean(text), pack_tokens(tokens),
            pack_ends(ends, before), pack_logprobs(logprobs),
        ),
    )  # fmt: skip
    mark.pieces += 1
    mark.text += len(text)
    mark.tokens += len(tokens)
    mark.logprobs += len(logprobs)


def _facts_of(stamp: Stamp) -> str:
    """What the stamp holds besides the prompt and its tokens."""
    kept: dict[str, Any] = {
        "model_sha256": stamp.model_sha256,
        "adapter_sha256": stamp.adapter_sha256,
        "template_source": stamp.template_source,
        "forced": stamp.forced,
        "sampling": stamp.sampling,
        "info": stamp.info,
        "llama_cpp": stamp.llama_cpp,
    }
    return to_json(kept)


def _rendered(connection: Connection, stamp: Stamp) -> int | None:
    """The row of the rendered prompt, which all outputs that had the same one share."""
    import hashlib

    text, tokens = clean(stamp.prompt_text), pack_tokens(stamp.prompt_tokens)
    mark = hashlib.sha256(text.encode() + b"\0" + tokens).hexdigest()
    found = connection.execute("SELECT id FROM rendered WHERE hash = ?", (mark,)).fetchone()
    if found is not None:
        return found[0]
    made = connection.execute(
        "INSERT INTO rendered (hash, text, tokens) VALUES (?, ?, ?)", (mark, text, tokens)
    )
    return made.lastrowid
