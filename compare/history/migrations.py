"""The steps that make the database what it is. A step once shipped is never changed or taken out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

MIGRATIONS: list[Callable[[Connection], None]] = []
"""In the order in which they are applied; each is known to a database by its function's name."""


def migration(step: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """Add a step to the end of the list."""
    MIGRATIONS.append(step)
    return step


def migrate(connection: Connection) -> list[str]:
    """Apply the steps that are missing, all or none.

    Returns the names of applied steps that this llamadiff does not know: those of a newer one.
    Then nothing is changed.
    """
    known = {step.__name__ for step in MIGRATIONS}
    applied = _applied(connection)
    if applied - known or applied == known:
        return sorted(applied - known)
    connection.execute("BEGIN IMMEDIATE")
    try:
        applied = _applied(connection)
        for step in MIGRATIONS:
            if step.__name__ not in applied:
                step(connection)
                now = time.time_ns() // 1_000_000
                connection.execute("INSERT INTO migrations VALUES (?, ?)", (step.__name__, now))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return sorted(applied - known)


def _applied(connection: Connection) -> set[str]:
    listed = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'"
    if connection.execute(listed).fetchone() is None:
        return set()
    return {name for (name,) in connection.execute("SELECT name FROM migrations")}


@migration
def m001_tables(connection: Connection) -> None:
    """Times are milliseconds since 1970 UTC. Blobs are written by `packing` and `content`."""
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)


@migration
def m002_full_text(connection: Connection) -> None:
    """An index of the words of outputs and prompts, where this SQLite can make one."""
    if not has_full_text(connection):
        return
    for table in ("texts", "rendered"):
        for statement in _INDEX.replace("@", table).split(";\n\n"):
            connection.execute(statement)


@migration
def m003_beginnings(connection: Connection) -> None:
    """What the answers of a branch are made to begin with: JSON of `Beginning`, or NULL."""
    connection.execute("ALTER TABLE variants ADD COLUMN beginning TEXT")


@migration
def m004_conversations(connection: Connection) -> None:
    """An output knows the one it goes on from, and what was replied to that."""
    connection.execute(
        "ALTER TABLE outputs ADD COLUMN follows INTEGER REFERENCES outputs ON DELETE SET NULL"
    )
    connection.execute("ALTER TABLE outputs ADD COLUMN reply TEXT NOT NULL DEFAULT ''")
    connection.execute("CREATE INDEX outputs_follows ON outputs (follows)")


@migration
def m005_around(connection: Connection) -> None:
    """What was on the screen with a run: JSON of `Around`, or NULL."""
    connection.execute("ALTER TABLE runs ADD COLUMN around TEXT")


@migration
def m006_asked(connection: Connection) -> None:
    """What was asked, without the markup of a chat template, is what words are looked for in. Of
    prompts rendered before, the markup of the most common templates is left out."""
    indexed = "SELECT 1 FROM sqlite_schema WHERE name = 'rendered_words'"
    has_index = connection.execute(indexed).fetchone() is not None
    for what in ("added", "removed", "changed") if has_index else ():
        connection.execute(f"DROP TRIGGER rendered_{what}")
    connection.execute("DROP TABLE IF EXISTS rendered_words")
    connection.execute("ALTER TABLE rendered ADD COLUMN asked TEXT NOT NULL DEFAULT ''")
    rows = [row for (row,) in connection.execute("SELECT id FROM rendered")]
    for row in rows:
        (text,) = connection.execute("SELECT text FROM rendered WHERE id = ?", (row,)).fetchone()
        asked = _MARKUP.sub(" ", text).strip()
        connection.execute("UPDATE rendered SET asked = ? WHERE id = ?", (asked, row))
    if has_index:
        for statement in _INDEX_OF_ASKED.split(";\n\n"):
            connection.execute(statement)
        connection.execute("INSERT INTO asked_words (asked_words) VALUES ('rebuild')")


@migration
def m007_evaluations(connection: Connection) -> None:
    """Suites that were run, and their answers. `definition` is JSON of what they follow from, and
    `fingerprint` its SHA-256; `about` and `measured` are JSON that `evaluation.restoring` and
    `evaluation.measured` write; `planned` is the number of rows settled beforehand; `answer` is NULL where it is the text."""
    for statement in _EVALUATIONS.split(";\n"):
        connection.execute(statement)


@migration
def m008_ratings(connection: Connection) -> None:
    """What people said of two answers, without knowing whose they were. A rater is one person with
    one evaluation or run, and `seed` drew the order and the sides of what that person is shown."""
    for statement in _RATINGS.split(";\n"):
        connection.execute(statement)


@migration
def m010_evaluation_owners(connection: Connection) -> None:
    """Who runs an evaluation, as `adopt.owner` says it, empty where nobody does; and when that one
    wrote last."""
    connection.execute("ALTER TABLE evaluations ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE evaluations ADD COLUMN beat INTEGER NOT NULL DEFAULT 0")


def has_full_text(connection: Connection) -> bool:
    """Whether this SQLite was built with FTS5."""
    return ("ENABLE_FTS5",) in connection.execute("PRAGMA compile_options").fetchall()


_TABLES = """
CREATE TABLE migrations (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt TEXT NOT NULL,
    hash TEXT NOT NULL,
    content BLOB NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    saved INTEGER NOT NULL DEFAULT 0,
    parent INTEGER REFERENCES versions ON DELETE SET NULL,
    UNIQUE (prompt, hash)
);
CREATE INDEX versions_parent ON versions (parent);

CREATE TABLE rendered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    tokens BLOB NOT NULL
);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    ended INTEGER,
    owner TEXT NOT NULL,
    program TEXT NOT NULL,
    vars TEXT NOT NULL,
    exact INTEGER NOT NULL,
    logprobs INTEGER NOT NULL,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_at ON runs (at);
CREATE INDEX runs_open ON runs (id) WHERE ended IS NULL;

CREATE TABLE tags (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag);

CREATE TABLE variants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    adapters TEXT NOT NULL,
    sampling TEXT NOT NULL,
    vars TEXT NOT NULL,
    prompt_name TEXT NOT NULL,
    prompt_path TEXT,
    version INTEGER NOT NULL REFERENCES versions
);
CREATE INDEX variants_run ON variants (run);
CREATE INDEX variants_version ON variants (version);

CREATE TABLE outputs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    variant INTEGER NOT NULL REFERENCES variants ON DELETE CASCADE,
    repeat INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,
    tokens INTEGER NOT NULL DEFAULT 0,
    preview TEXT NOT NULL DEFAULT '',
    finish_reason TEXT,
    error TEXT,
    refused INTEGER NOT NULL DEFAULT 0,
    no_effect TEXT NOT NULL DEFAULT '',
    rendered INTEGER REFERENCES rendered,
    timings TEXT,
    stamp TEXT
);
CREATE INDEX outputs_variant ON outputs (variant);
CREATE INDEX outputs_rendered ON outputs (rendered);

CREATE TABLE texts (
    id INTEGER PRIMARY KEY REFERENCES outputs ON DELETE CASCADE,
    text TEXT NOT NULL,
    tokens BLOB NOT NULL,
    ends BLOB NOT NULL,
    logprobs BLOB
);

CREATE TABLE pieces (
    output INTEGER NOT NULL REFERENCES outputs ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    tokens BLOB NOT NULL,
    ends BLOB NOT NULL,
    logprobs BLOB,
    PRIMARY KEY (output, number)
);

CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    prompt TEXT NOT NULL,
    path TEXT,
    owner TEXT NOT NULL,
    at INTEGER NOT NULL,
    base BLOB,
    content BLOB NOT NULL,
    undo BLOB NOT NULL
)
"""

_EVALUATIONS = """
CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    ended INTEGER,
    program TEXT NOT NULL,
    suite TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    definition TEXT NOT NULL,
    about TEXT NOT NULL,
    measured TEXT,
    baseline TEXT NOT NULL,
    rows INTEGER NOT NULL,
    planned INTEGER NOT NULL,
    margin REAL NOT NULL
);
CREATE INDEX evaluations_path ON evaluations (path);

CREATE TABLE answers (
    evaluation INTEGER NOT NULL REFERENCES evaluations ON DELETE CASCADE,
    row INTEGER NOT NULL,
    variant TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    text TEXT NOT NULL,
    answer TEXT,
    tokens INTEGER NOT NULL,
    prompt_tokens INTEGER,
    finish_reason TEXT,
    error TEXT,
    logprob REAL,
    score REAL,
    results TEXT NOT NULL,
    PRIMARY KEY (evaluation, row, variant, repeat)
) WITHOUT ROWID
"""

_RATINGS = """
CREATE TABLE raters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    evaluation INTEGER REFERENCES evaluations ON DELETE CASCADE,
    run INTEGER REFERENCES runs ON DELETE CASCADE,
    name TEXT NOT NULL,
    seed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CHECK ((evaluation IS NULL) != (run IS NULL)),
    UNIQUE (evaluation, name),
    UNIQUE (run, name)
);

CREATE TABLE ratings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rater INTEGER NOT NULL REFERENCES raters ON DELETE CASCADE,
    at INTEGER NOT NULL,
    row INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    first TEXT NOT NULL,
    second TEXT NOT NULL,
    choice TEXT,
    note TEXT NOT NULL DEFAULT '',
    edited TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX ratings_pair
    ON ratings (rater, row, repeat, min(first, second), max(first, second))
"""

_INDEX = """
CREATE VIRTUAL TABLE @_words USING fts5 (
    text, content='@', content_rowid='id', tokenize='unicode61 remove_diacritics 2',
    prefix='1 2 3'
);

CREATE TRIGGER @_added AFTER INSERT ON @ BEGIN
    INSERT INTO @_words (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER @_removed AFTER DELETE ON @ BEGIN
    INSERT INTO @_words (@_words, rowid, text) VALUES ('delete', old.id, old.text);
END;

CREATE TRIGGER @_changed AFTER UPDATE OF text ON @ BEGIN
    INSERT INTO @_words (@_words, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO @_words (rowid, text) VALUES (new.id, new.text);
END
"""

_INDEX_OF_ASKED = """
CREATE VIRTUAL TABLE asked_words USING fts5 (
    asked, content='rendered', content_rowid='id', tokenize='unicode61 remove_diacritics 2',
    prefix='1 2 3'
);

CREATE TRIGGER rendered_added AFTER INSERT ON rendered BEGIN
    INSERT INTO asked_words (rowid, asked) VALUES (new.id, new.asked);
END;

CREATE TRIGGER rendered_removed AFTER DELETE ON rendered BEGIN
    INSERT INTO asked_words (asked_words, rowid, asked) VALUES ('delete', old.id, old.asked);
END;

CREATE TRIGGER rendered_changed AFTER UPDATE OF asked ON rendered BEGIN
    INSERT INTO asked_words (asked_words, rowid, asked) VALUES ('delete', old.id, old.asked);
    INSERT INTO asked_words (rowid, asked) VALUES (new.id, new.asked);
END
"""

_MARKUP = re.compile(
    r"<\|im_start\|>\w*|<\|start_header_id\|>\w*<\|end_header_id\|>|<start_of_turn>\w*|<end_of_turn>"
    r"|<\|[^<>|\n]{1,40}\|>|</?(?:s|bos|eos)>|\[/?[A-Z_]{3,30}\]"
)
"""Of ChatML, Llama 3, Gemma, Phi and Zephyr, Llama 2 and Mistral."""
