"""Runs read back: in pages, found by words, and whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...models.engine.protocol import ModelInfo, Sampling, Timings
from ..errors import CompareError
from ..run import Around, Output, Run, Stamp, State
from ..variants import Beginning, StackedAdapter, Variant
from .content import asked, unpack
from .conversations import follow_back
from .entries import Hit, OutputEntry, Recorded, RunEntry, VariantEntry, Wanted
from .packing import (
    from_json,
    moment,
    path_in,
    unpack_ends,
    unpack_logprobs,
    unpack_tokens,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

ASKED = 200
"""Characters of what was asked that a list shows."""
AROUND = (60, 60)
IN_A_LIST = (16, 120)
"""Characters of an excerpt before and after what was found, of an output and in a list of runs."""


def page(
    connection: Connection, wanted: Wanted, limit: int, before: int | None = None
) -> list[RunEntry]:
    """The newest runs that are wanted, or those older than the one numbered `before`."""
    if terms(wanted.text):
        return _pages_of(connection, wanted, limit, before)
    conditions, values = _conditions(wanted)
    if before is not None:
        conditions.append("r.id < :before")
        values["before"] = before
    rows = connection.execute(
        f"SELECT r.id FROM runs r WHERE {' AND '.join(conditions)} ORDER BY r.id DESC LIMIT :limit",
        values | {"limit": limit},
    ).fetchall()
    return [_entry(connection, row) for (row,) in rows]


def _pages_of(
    connection: Connection, wanted: Wanted, limit: int, before: int | None
) -> list[RunEntry]:
    """The runs of the outputs that are found, newest first."""
    conditions, values = _conditions(wanted)
    if before is not None:
        conditions.append("r.id < :before")
        values["before"] = before
    rows: dict[int, int] = {}
    for output, row in _found(connection, wanted.text, conditions, values):
        rows.setdefault(row, output)
        if len(rows) == limit:
            break
    words = terms(wanted.text)
    return [
        replace(_entry(connection, row), excerpt=_hit(connection, words, output, IN_A_LIST).excerpt)
        for row, output in rows.items()
    ]


def _entry(connection: Connection, row: int) -> RunEntry:
    key, at, ended, values, note = connection.execute(
        "SELECT key, at, ended, vars, note FROM runs WHERE id = ?", (row,)
    ).fetchone()
    variants = connection.execute(
        "SELECT name, label, model_name, adapters, prompt_name, version FROM variants "
        "WHERE run = ? ORDER BY id",
        (row,),
    )
    outputs = connection.execute(
        "SELECT v.name, o.repeat, o.seed, o.state, o.tokens, o.preview, o.finish_reason, o.error, "
        "substr(o.reply, 1, :most) FROM variants v JOIN outputs o ON o.variant = v.id "
        "WHERE v.run = :row ORDER BY o.id",
        {"row": row, "most": ASKED},
    ).fetchall()
    content, own = connection.execute(
        "SELECT w.content, v.vars FROM variants v JOIN versions w ON w.id = v.version "
        "WHERE v.run = ? ORDER BY v.id LIMIT 1",
        (row,),
    ).fetchone() or (b"", "{}")
    shared: dict[str, str] = from_json(values)
    return RunEntry(
        key,
        moment(at),
        None if ended is None else moment(ended),
        shared,
        note,
        _tags(connection, row),
        tuple(
            VariantEntry(name, label, model, _stack(adapters), prompt, version)
            for name, label, model, adapters, prompt, version in variants
        ),
        tuple(
            OutputEntry(name, repeat, seed, State(state), tokens, preview, reason, error)
            for name, repeat, seed, state, tokens, preview, reason, error, _ in outputs
        ),
        row,
        asked(content, shared | from_json(own))[:ASKED],
        next((reply for *_, reply in outputs if reply), ""),
    )


def _tags(connection: Connection, row: int) -> tuple[str, ...]:
    found = connection.execute("SELECT tag FROM tags WHERE run = ? ORDER BY tag", (row,))
    return tuple(tag for (tag,) in found)


def _stack(adapters: str) -> str:
    return "+".join(f"{it['name']}@{it['scale']:g}" for it in from_json(adapters)) or "base"


_ADAPTER = "json_extract(a.value, '$.name')"


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """SQL about the run `r`, and the values in it."""
    conditions, values = ["1"], dict[str, Any]()

    def of_a_variant(column: str, text: str) -> None:
        name = f"v{len(values)}"
        adapters = ", json_each(v.adapters) a" if column == _ADAPTER else ""
        conditions.append(
            f"EXISTS (SELECT 1 FROM variants v{adapters} WHERE v.run = r.id "
            f"AND {column} LIKE :{name} ESCAPE '\\')"
        )
        values[name] = _anywhere(text)

    for column, text in (
        ("v.model_name", wanted.model),
        (_ADAPTER, wanted.adapter),
        ("v.prompt_name", wanted.prompt),
        ("v.label", wanted.label),
    ):
        if text:
            of_a_variant(column, text)
    if wanted.tag:
        conditions.append("r.id IN (SELECT run FROM tags WHERE tag = :tag)")
        values["tag"] = wanted.tag
    if wanted.note:
        conditions.append("r.note LIKE :note ESCAPE '\\'")
        values["note"] = _anywhere(wanted.note)
    if wanted.version is not None:
        conditions.append("r.id IN (SELECT run FROM variants WHERE version = :version)")
        values["version"] = wanted.version
    for sign, name, time in ((">=", "since", wanted.since), ("<", "until", wanted.until)):
        if time is not None:
            conditions.append(f"r.at {sign} :{name}")
            values[name] = int(time.timestamp() * 1000)
    return conditions, values


def _anywhere(text: str) -> str:
    """A LIKE pattern, with \\ for escape, of what has the text in it."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"


# ------------------------------------------------------------------- searching


def search(
    connection: Connection, wanted: Wanted, limit: int, before: int | None = None
) -> list[Hit]:
    """The newest outputs that are wanted, or those older than the one numbered `before`."""
    conditions, values = _conditions(wanted)
    words = terms(wanted.text)
    if not words:
        return []
    if before is not None:
        conditions.append("o.id < :before")
        values["before"] = before
    found = _found(connection, wanted.text, conditions, values)
    return [_hit(connection, words, row) for row, _ in islice(found, limit)]


def _hit(
    connection: Connection, words: list[str], row: int, around: tuple[int, int] = AROUND
) -> Hit:
    key, at, name, label, prompt_name, adapters, repeat, text, prompt = connection.execute(
        "SELECT r.key, r.at, v.name, v.label, v.prompt_name, v.adapters, o.repeat, t.text, p.text "
        "FROM outputs o JOIN variants v ON v.id = o.variant JOIN runs r ON r.id = v.run "
        "LEFT JOIN texts t ON t.id = o.id LEFT JOIN rendered p ON p.id = o.rendered "
        "WHERE o.id = ?",
        (row,),
    ).fetchone()
    title = label or f"{prompt_name} · {_stack(adapters)}"
    place = _place(text or "", words)
    in_prompt = place is None and _place(prompt or "", words) is not None
    source = (prompt if in_prompt else text) or ""
    start = _place(source, words) or 0
    first, last = max(0, start - around[0]), start + around[1]
    excerpt = " ".join(source[first:last].split())
    excerpt = f"{'…' * (first > 0)}{excerpt}{'…' * (last < len(source))}"
    return Hit(key, moment(at), name, title, repeat, excerpt, in_prompt, row)


def _place(text: str, words: Iterable[str]) -> int | None:
    """Where the first of the words is; None when none is."""
    for term in words:
        if match := re.search(rf"\b{re.escape(term)}", text, re.IGNORECASE):
            return match.start()
    return None


def terms(text: str) -> list[str]:
    """Words, and what stands in quotes, without what no index holds."""
    found = [quoted or word for quoted, word in re.findall(r'"([^"]*)"?|([^\s"]+)', text)]
    return [term for term in found if re.search(r"\w", term)]


def _found(
    connection: Connection, text: str, conditions: list[str], values: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    """The rows of outputs that say all of the words or were asked with them, and of their runs.

    The newest come first, and are looked for only as far as they are taken: a word that half of all
    outputs have costs no more than another.
    """
    indexed = "SELECT 1 FROM sqlite_schema WHERE name = 'texts_words'"
    if connection.execute(indexed).fetchone():
        tests = {it: f"{it}_words MATCH :words" for it in ("texts", "rendered")}
        values = values | {"words": _query(text)}
        tables = {it: f"{it}_words" for it in tests}
    else:
        words = {f"w{i}": _anywhere(term) for i, term in enumerate(terms(text))}
        test = " AND ".join(f"text LIKE :{name} ESCAPE '\\'" for name in words)
        tests = dict.fromkeys(("texts", "rendered"), test)
        values = values | words
        tables = {it: it for it in tests}
    run = "CROSS JOIN variants v ON v.id = o.variant CROSS JOIN runs r ON r.id = v.run WHERE "
    others = " AND ".join(conditions)
    said = connection.execute(
        f"SELECT o.id, r.id FROM {tables['texts']} w CROSS JOIN outputs o ON o.id = w.rowid {run}"
        f"{tests['texts']} AND {others} ORDER BY w.rowid DESC",
        values,
    )
    with_prompt = connection.execute(
        "SELECT id FROM outputs WHERE rendered IN "
        f"(SELECT rowid FROM {tables['rendered']} WHERE {tests['rendered']}) ORDER BY id DESC",
        values,
    )
    wanted = f"SELECT o.id, r.id FROM outputs o {run}o.id = :row AND {others}"
    asked = (
        pair
        for (row,) in with_prompt
        for pair in connection.execute(wanted, values | {"row": row}).fetchall()
    )
    last = None
    for found in merge(said, asked, reverse=True):
        if found != last:
            yield found
        last = found


def _query(text: str) -> str:
    """Words in FTS5's language (https://www.sqlite.org/fts5.html, section 3)."""
    unfinished = not text.endswith(('"', " "))
    phrases = ['"{}"'.format(term.replace('"', '""')) for term in terms(text)]
    return " ".join(phrases) + "*" * unfinished


# --------------------------------------------------------------------- opening


def open_run(connection: Connection, key: str) -> Recorded:
    """A run as it was when it ended, or as far as it has come, with the conversations before it.

    Raises CompareError for an id that is not in the history.
    """
    recorded = _open(connection, key)
    follow_back(connection, recorded.run, lambda before: _open(connection, before).run)
    return recorded


def _open(connection: Connection, key: str) -> Recorded:
    row = connection.execute(
        "SELECT id, at, ended, program, note, vars, exact, logprobs, around FROM runs WHERE key = ?",
        (key,),
    ).fetchone()
    if row is None:
        raise CompareError(f"The run {key!r} is not in the history.")
    number, at, ended, program, note, shared, exact, logprobs, around = row
    variants = {
        variant: Variant(
            name,
            _path(model),
            model_name,
            unpack(content, path_in(prompt_path)),
            tuple(StackedAdapter(a["name"], Path(a["path"]), a["scale"]) for a in from_json(stack)),
            from_json(sampling),
            label,
            from_json(values),
            begins and msgspec.convert(from_json(begins), Beginning),
        )
        for variant, name, label, model, model_name, stack, sampling, values, begins, prompt_path, content in connection.execute(
            "SELECT v.id, v.name, v.label, v.model, v.model_name, v.adapters, v.sampling, v.vars, "
            "v.beginning, v.prompt_path, w.content FROM variants v JOIN versions w ON w.id = v.version "
            "WHERE v.run = ? ORDER BY v.id",
            (number,),
        )
    }  # fmt: skip
    run = Run(tuple(variants.values()), from_json(shared), bool(exact), logprobs, id=key)
    run.around = around and msgspec.convert(from_json(around), Around)
    run.outputs += [
        _output(connection, key, variants[variant], *rest)
        for variant, *rest in connection.execute(
            "SELECT o.variant, o.id, o.repeat, o.seed, o.state, o.finish_reason, o.error, "
            "o.refused, o.no_effect, o.timings, o.stamp, o.reply, p.text, p.tokens FROM variants v "
            "JOIN outputs o ON o.variant = v.id LEFT JOIN rendered p ON p.id = o.rendered "
            "WHERE v.run = ? ORDER BY o.id",
            (number,),
        ).fetchall()
    ]
    ending = None if ended is None else moment(ended)
    return Recorded(run, moment(at), ending, program, note, _tags(connection, number))


def _path(path: bytes) -> Path:
    found = path_in(path)
    assert found is not None
    return found


def _output(connection: Connection, key: str, variant: Variant, *row: Any) -> Output:
    (
        number,
        repeat,
        seed,
        state,
        reason,
        error,
        refused,
        no_effect,
        timings,
        stamp,
        reply,
        prompt,
        tokens,
    ) = row
    output = Output(variant, repeat, seed, State(state), finish_reason=reason, error=error)
    output.refused, output.no_effect = bool(refused), no_effect
    output.run_id, output.reply = key, reply
    output.timings = msgspec.convert(from_json(timings), Timings) if timings else None
    parts = (
        connection.execute(
            "SELECT text, tokens, ends, logprobs FROM texts WHERE id = ?", (number,)
        ).fetchall()
        or connection.execute(
            "SELECT text, tokens, ends, logprobs FROM pieces WHERE output = ? ORDER BY number",
            (number,),
        ).fetchall()
    )
    output.text = "".join(part[0] for part in parts)
    output.tokens = unpack_tokens([part[1] for part in parts])
    output.token_ends = unpack_ends([part[2] for part in parts])
    output.logprobs = unpack_logprobs([part[3] for part in parts])
    if stamp:
        output.stamp = _stamp(from_json(stamp), prompt or "", tokens)
    return output


def _stamp(kept: dict[str, Any], prompt: str, tokens: bytes | None) -> Stamp:
    return Stamp(
        kept["model_sha256"],
        tuple(kept["adapter_sha256"]),
        prompt,
        unpack_tokens([tokens] if tokens else []),
        kept["template_source"],
        msgspec.convert(kept["sampling"], Sampling, strict=False),
        None if kept["info"] is None else msgspec.convert(kept["info"], ModelInfo),
        kept["llama_cpp"],
        tuple(kept.get("forced", ())),
    )
