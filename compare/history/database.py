"""The database file: opened, made or brought up to date, and put aside when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CompareError
from .migrations import migrate

PATIENCE_S = 20
"""How long to wait for another program that writes."""

NETWORKS = ("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "afs", "9p", "ncpfs",
            "webdav", "davfs", "fuse.sshfs", "fuse.davfs", "ceph", "fuse.ceph", "glusterfs",
            "fuse.glusterfs", "lustre", "gpfs", "beegfs")  # fmt: skip
"""File systems that several machines see, whose WAL would need a memory they do not share
(https://www.sqlite.org/wal.html, section 1)."""

_NOT_WRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_NO_WAL = (*_NOT_WRITABLE, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_for_writing(file: Path) -> tuple[sqlite3.Connection, str]:
    """A connection, and one sentence about a damaged file that was put aside, or nothing.

    The journal is a WAL, or a rollback journal where that cannot work. Raises CompareError for a
    place that cannot be written, and for a database of a newer llamadiff, which is left alone.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(file):
            try:
                return _prepared(file), ""
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            return _renewed(file)
    except (OSError, sqlite3.Error) as error:
        raise CompareError(cannot("kept", file, error)) from None


def open_for_reading(file: Path) -> sqlite3.Connection | None:
    """A connection that only reads, usable from any thread; None while there is no database.

    Raises CompareError for a file that cannot be read.
    """
    if not file.exists():
        return None
    # Without its folder being writable a WAL cannot be read either, unless nothing can be in it.
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"{file.resolve().as_uri()}?{how}",
            uri=True,
            timeout=PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("SELECT 1 FROM outputs LIMIT 1").fetchone()
            return connection
        except sqlite3.Error as error:
            connection.close()
            if "immutable" in how or error.sqlite_errorcode & 0xFF not in _NOT_WRITABLE:
                raise CompareError(cannot("read", file, error)) from None
    return None


def put_aside(file: Path) -> tuple[sqlite3.Connection, str]:
    """As `open_for_writing`, for a file found to be damaged while it was in use."""
    try:
        with _alone(file):
            return _renewed(file)
    except (OSError, sqlite3.Error) as error:
        raise CompareError(cannot("kept", file, error)) from None


def is_damage(error: Exception) -> bool:
    """Whether SQLite says that the file is no database, or a broken one."""
    return (
        isinstance(error, sqlite3.DatabaseError)
        and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
    )


def cannot(what: str, file: Path, error: Exception) -> str:
    """The sentence for a database that cannot be used."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"The history {file} cannot be {what}: {reason}."


def _prepared(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)
    wal = _has_wal(file)
    connection = _connect(file)
    try:
        if wal is None:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        if wal is not False and not (wal := _use_wal(connection, file)):
            connection.close()
            connection = _connect(file)
            _roll_back(connection)
        # After a power cut a WAL may lack its last commits, a rollback journal must not be partial.
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if wal else 'FULL'}")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        if newer := migrate(connection):
            raise CompareError(
                f"The history {file} was written by a newer llamadiff ({newer[-1]}): nothing is "
                "recorded until llamadiff is brought up to date, or the file is moved elsewhere."
            )
        return connection
    except BaseException:
        connection.close()
        raise


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None)


def _has_wal(file: Path) -> bool | None:
    """Whether the database was made with a WAL; None for an empty file
    (https://www.sqlite.org/fileformat.html, section 1.3)."""
    with file.open("rb") as start:
        head = start.read(20)
    return head[18:20] == b"\2\2" if head else None


def _use_wal(connection: sqlite3.Connection, file: Path) -> bool:
    """Whether a WAL works here; it is used from now on."""
    if on_network(file.parent):
        return False
    try:
        return _journal(connection, "wal")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NO_WAL:
            raise
        return False


def _journal(connection: sqlite3.Connection, mode: str) -> bool:
    """Switch to a journal and see that the database can be written with it."""
    (now,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
    return now == mode


def _roll_back(connection: sqlite3.Connection) -> None:
    """Use a rollback journal; a WAL that was used before is written back, which needs no shared
    memory while nobody else has the file."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    _journal(connection, "delete")
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def on_network(folder: Path) -> bool:
    """Whether a folder is on a file system that other machines may see too."""
    import psutil

    folder = folder.resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    nearest = next((place for place in (folder, *folder.parents) if place in mounts), None)
    return nearest is not None and mounts[nearest] in NETWORKS


def _renewed(file: Path) -> tuple[sqlite3.Connection, str]:
    """A database where a damaged one was; by now another program may have put that aside."""
    with contextlib.suppress(sqlite3.DatabaseError):
        connection = _prepared(file)
        if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
            return connection, ""
        connection.close()
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    aside = file.with_name(f"{file.stem}-damaged-{now}{file.suffix}")
    for end in ("-wal", "-shm", "-journal", ""):
        part = file.with_name(file.name + end)
        if part.is_file():
            part.rename(aside.with_name(aside.name + end))
    said = f"The history {file} is damaged: it was moved to {aside.name} beside it, and a new one begun."
    return _prepared(file), said


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep other programs from opening or moving the database meanwhile."""
    import fcntl

    with file.with_name(f"{file.name}.lock").open("a") as lock:
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
