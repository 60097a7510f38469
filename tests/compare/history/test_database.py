"""The file: shared by programs, killed at any moment, damaged, too new, or in an odd place."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.history import database
from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.run import State

from .runs import PROMPT, answered, keep, made, opened

ROOT = Path(__file__).parents[3]
WRITING = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.compare.history.runs import PROMPT, finish, grow, opened, start
with opened(Path(sys.argv[1])) as history:
    for number in range(int(sys.argv[2])):
        run = replace(start(), id=f"{sys.argv[3]}{number:06}")
        history.begin(run)
        for step in range(int(sys.argv[4])):
            for output in run.outputs:
                grow(output, f"step{step}")
            history.drafts.save("draft", replace(PROMPT, user=f"{number} {step}"), None)
            if step % 5 == 0:
                history.flush()
                print(run.id, step, flush=True)
        for output in run.outputs:
            finish(output)
        history.end(run)
"""
"""Arguments: folder, runs, prefix of their ids, steps in each; prints what is safe by now."""


def writing(folder: Path, runs: int, prefix: str, steps: int) -> subprocess.Popen[str]:
    """A program that writes."""
    command = [sys.executable, "-c", WRITING, str(folder), str(runs), prefix, str(steps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


REMOVING = """
import sys
from pathlib import Path
from llamadiff.compare.history import removal
from tests.compare.history.runs import opened
removal.STEP_S, removal.PAGES = 0.0, 1
with opened(Path(sys.argv[1])) as history:
    change = history._change
    def told(job):
        found = change(job)
        print("step", flush=True)
        sys.stdin.readline()
        return found
    history._change = told
    history.remove(sys.argv[2:])
"""
"""Arguments: folder, ids; prints a line after each step, and waits for one before the next."""


def sound(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "history.db")) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_programs_killed_at_any_moment_lose_nothing_that_was_written(tmp_path: Path) -> None:
    chance = random.Random(5)
    safe: dict[str, int] = {}
    for life in range(8):
        program = writing(tmp_path, 1_000_000, f"{life:02}", 40)
        assert program.stdout is not None
        last = ""
        for _ in range(chance.randint(1, 40)):
            line = program.stdout.readline()
            name, step = line.split()
            safe[name], last = int(step), name
        program.send_signal(signal.SIGKILL)
        for line in program.stdout:  # said before it was killed
            name, step = line.split()
            safe[name], last = int(step), name
        program.wait()
        with opened(tmp_path) as history:
            run = history.open(last)
            (draft,) = history.drafts.free()
            assert int(draft.prompt.user.split()[1]) >= 0
            newest = history.page(limit=1)[0]
            assert newest.ended, "what a killed program left is brought to an end"
            assert run.outputs[0].state in (State.CANCELLED, State.DONE)
        assert sound(tmp_path)
    with opened(tmp_path) as history:
        for name, step in safe.items():
            for output in history.open(name).outputs:
                words = output.text.split()
                assert words == [f"step{i}" for i in range(len(words))] and len(words) > step
                assert len(output.tokens) == len(output.token_ends) == len(words)
                assert len(output.logprobs) == len(words)
        # the words of what was cut off are found too
        assert {hit.run for hit in history.search(Wanted(text="step0"), limit=10_000)} >= set(safe)


def test_a_run_that_another_program_still_writes_is_left_to_it(tmp_path: Path) -> None:
    program = writing(tmp_path, 1, "aa", 1_000_000)
    assert program.stdout is not None
    program.stdout.readline()
    try:
        with opened(tmp_path) as history:
            assert history.page()[0].ended is None
            seen = len(history.open("aa000000").outputs[0].tokens)
            while int(program.stdout.readline().split()[1]) < seen:
                pass
            assert len(history.open("aa000000").outputs[0].tokens) > seen
    finally:
        program.kill()
        program.wait()


@pytest.mark.parametrize("journal", ["wal", "rollback"])
def test_programs_at_once_lose_no_write(tmp_path: Path, journal: str) -> None:
    if journal == "rollback":
        (tmp_path / "history.db-shm" / "x").mkdir(parents=True)  # where the WAL's would be
    programs = [writing(tmp_path, 30, prefix, 6) for prefix in ("aa", "bb", "cc")]
    for program in programs:
        program.communicate()
        assert program.returncode == 0
    with opened(tmp_path) as history:
        names = {entry.id for entry in history.page(limit=1000)}
        assert names == {f"{prefix}{i:06}" for prefix in ("aa", "bb", "cc") for i in range(30)}
        assert all(len(history.open(name).outputs[1].tokens) == 6 for name in names)
        assert history.versions(PROMPT)[0].runs == 90
    assert sound(tmp_path)


@pytest.mark.parametrize("what", ["junk", "torn", "inside", "one table"])
def test_a_damaged_file_is_put_aside_with_a_sentence_and_kept(tmp_path: Path, what: str) -> None:
    with opened(tmp_path) as history:
        keep(history, *(made("word " * 300) for _ in range(20)))
    file = tmp_path / "history.db"
    data = file.read_bytes()
    with closing(sqlite3.connect(file)) as connection:
        root = "SELECT rootpage FROM sqlite_schema WHERE name = 'outputs'"
        page = 4096 * (connection.execute(root).fetchone()[0] - 1)
    bad = {
        "one table": data[:page] + b"\xff" * 4096 + data[page + 4096 :],
        "junk": b"no database" * 1000,
        "torn": data[: len(data) // 3],
        "inside": data[:4096] + os.urandom(len(data) - 8192) + data[-4096:],
    }[what]
    file.write_bytes(bad)
    told: list[str] = []
    new = made("after")
    with opened(tmp_path, told) as history:
        history.begin(new)
        history.end(new)
        history.flush()
        history.flush()  # a file found to be damaged while in use is written anew by the next
        assert [entry.id for entry in history.page()] == [new.id]
    assert len(told) == 1 and "damaged" in told[0] and "\n" not in told[0]
    (aside,) = tmp_path.glob("history-damaged-*.db")
    assert aside.name in told[0] and aside.read_bytes()[:100] == bad[:100]
    assert sound(tmp_path)
    with opened(tmp_path) as history:
        assert len(history.page()) == 1


def test_programs_that_find_the_damage_together_put_it_aside_once(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"no database" * 1000)
    programs = [writing(tmp_path, 5, prefix, 3) for prefix in ("aa", "bb", "cc")]
    for program in programs:
        program.communicate()
    assert len(list(tmp_path.glob("history-damaged-*.db"))) == 1
    with opened(tmp_path) as history:
        assert len(history.page(limit=100)) == 15


def test_a_history_of_a_newer_llamadiff_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        keep(history, made("kept"))
    file = tmp_path / "history.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO migrations VALUES ('m999_better', 0)")
    before = file.read_bytes()
    told: list[str] = []
    with opened(tmp_path, told) as history:
        keep(history, made("not kept"))
        with pytest.raises(CompareError, match="newer"):
            history.annotate("x", "y")
    assert len(told) == 1 and "newer" in told[0] and "m999_better" in told[0]
    assert file.read_bytes() == before and not list(tmp_path.glob("*damaged*"))


def test_the_journal_is_a_wal_and_a_rollback_journal_where_that_cannot_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mode(folder: Path) -> str:
        with closing(sqlite3.connect(folder / "history.db")) as connection:
            return connection.execute("PRAGMA journal_mode").fetchone()[0]

    a, b = tmp_path / "a", tmp_path / "b"
    with opened(a) as history:
        keep(history, made("one"))
        assert mode(a) == "wal"
    monkeypatch.setattr(database, "on_network", lambda folder: True)
    for folder in (a, b):  # one that had a WAL before, and a new one
        with opened(folder) as history:
            run = made("two")
            keep(history, run)
            assert mode(folder) == "delete"
            assert history.open(run.id).outputs[0].text == "two "
            history.remove([run.id])
    with opened(a) as history:
        assert len(history.page()) == 1


def test_a_file_system_without_shared_memory_gets_a_rollback_journal(tmp_path: Path) -> None:
    (tmp_path / "history.db-shm" / "x").mkdir(parents=True)  # where it would be
    with opened(tmp_path) as history:
        keep(history, made("one"))
        assert len(history.page()) == 1
    assert (tmp_path / "history.db").read_bytes()[18:20] == b"\x01\x01"  # no WAL


def test_the_file_system_of_a_folder_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    part = psutil.disk_partitions(all=True)[0]
    mounts = [("/", "ext4"), (str(tmp_path), "nfs4"), (str(tmp_path / "local"), "xfs")]
    parts = [part._replace(mountpoint=place, fstype=kind) for place, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: parts)
    assert database.on_network(tmp_path / "home" / "x")
    assert not database.on_network(tmp_path / "local")
    assert not database.on_network(tmp_path.parent)


def test_a_place_that_cannot_be_written_is_said_once_and_read_all_the_same(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        kept = made("kept")
        keep(history, kept)
    # What a person who may not write meets also stops one who may everything: there is no folder.
    told: list[str] = []
    nowhere = tmp_path / "file"
    nowhere.touch()
    with opened(nowhere / "state", told) as history:
        keep(history, made("a"), made("b"))
        history.flush()
        assert history.page() == []
    assert len(told) == 1 and str(nowhere) in told[0]


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="needs setpriv")
def test_a_history_that_is_read_only_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with opened(folder) as history:
        kept = made("kept")
        keep(history, kept)
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.compare.history.runs import opened\n"
        "told = []\nwith opened(Path(sys.argv[1]), told) as history:\n"
        "    print(history.page()[0].id, len(told))"
    )
    for path in (folder, tmp_path, *islice(tmp_path.parents, 3)):
        path.chmod(path.stat().st_mode | 0o055)
    (folder / "history.db").chmod(0o444)
    folder.chmod(0o555)
    command = [sys.executable, "-c", script, str(folder)]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", *command]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    folder.chmod(0o755)
    assert done.stdout.split() == [kept.id, "1"], done.stderr


def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room(tmp_path: Path) -> None:
    told: list[str] = []
    with opened(tmp_path, told) as history:
        keep(history, made("first"))
        history._writer.call(lambda it: it.execute("PRAGMA max_page_count = 1").fetchall())
        run = made("word " * 20_000)
        history.begin(run)
        history.end(run)
        history.flush()
        history.flush()
        history.saved(PROMPT)
        history.flush()
        assert len(told) == 1 and "full" in told[0]
        assert len(history.page()) == 1
        history._writer.put(lambda it: it.execute("PRAGMA max_page_count = 1000000").fetchall())
        history.flush()
        assert history.open(run.id).outputs[0].text == run.outputs[0].text
        assert history.versions(PROMPT)[0].saved


@pytest.mark.parametrize("steps", [2, 4, 5, 7, 9])
def test_what_a_killed_removal_left_is_removed_by_the_next_program(
    tmp_path: Path, steps: int
) -> None:
    def on_disk() -> set[bytes]:
        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        return {word for word in words if word.lower() in disk.lower()}

    words = [b"Quetzalcoatl", b"Zebrafink", b"Pumpernickel"]
    first = made(f"{words[0].decode()} " * 300)
    second = answered(first, words[1].decode(), f"{words[2].decode()} " * 300)
    with opened(tmp_path) as history:
        keep(history, first, second, *(made(f"stays {number}") for number in range(5)))
    command = [sys.executable, "-c", REMOVING, str(tmp_path), first.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:  # fmt: skip
        assert program.stdin is not None and program.stdout is not None
        for _ in range(steps):
            assert program.stdout.readline() == "step\n"
            program.stdin.write("\n")
            program.stdin.flush()
        program.send_signal(signal.SIGKILL)
    assert on_disk(), "it was killed before it was done"
    with opened(tmp_path) as history:
        left = {entry.id for entry in history.page(limit=100)}
    assert len(left) >= 5 and second.id not in left
    if first.id in left:  # a conversation is taken away from its end on
        assert words[0] in on_disk() and words[2] not in on_disk()
        with opened(tmp_path) as history:
            assert history.following([first.id]) == [] and history.remove([first.id]) == 1
    assert on_disk() == set()
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    assert sound(tmp_path)
